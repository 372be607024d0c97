import Packet

/// Which peer an inner address belongs to: open addressing in one run of memory, rebuilt when the peers change.
struct AddressTable: ~Copyable {
    private struct Entry {
        var address: IPAddress
        var peer: Int32
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int

    /// A table of the given addresses.
    init(_ pairs: [(IPAddress, Int)]) {
        let capacity = max(16, (pairs.count * 2).nextPowerOfTwo)
        mask = capacity - 1
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: Entry(address: IPAddress(v4: 0), peer: -1), count: capacity)
        for (address, peer) in pairs {
            var place = Self.hash(address) & mask
            while entries[place].peer >= 0 && entries[place].address != address { place = (place + 1) & mask }
            entries[place] = Entry(address: address, peer: Int32(peer))
        }
    }

    deinit { entries.deallocate() }

    /// The peer that the address belongs to.
    func find(_ address: IPAddress) -> Int? {
        var place = Self.hash(address) & mask
        while entries[place].peer >= 0 {
            if entries[place].address == address { return Int(entries[place].peer) }
            place = (place + 1) & mask
        }
        return nil
    }

    private static func hash(_ address: IPAddress) -> Int {
        let mixed = (address.low ^ address.high &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: mixed >> 33)
    }
}
