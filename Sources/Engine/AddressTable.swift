import Packet
import Proto

/// Maps an inner address to a peer: by the peer's own address, or by the longest of the peers' networks that
/// contains it. Open addressing in one block of memory, rebuilt when the peers change; a look-up costs one
/// probe for each prefix length in use (as in Waldvogel et al., "Scalable High Speed IP Routing Lookups",
/// SIGCOMM 1997, without its binary search, because peers' networks have few lengths).
///
/// The hash has a secret key: peers choose the sources that are looked up, and may choose their addresses.
struct AddressTable: ~Copyable {
    private struct Entry {
        var address: IPAddress
        var length: UInt8
        var peer: Int32
    }

    private let key: FlowKey
    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int
    /// The networks' prefix lengths, longest first, IPv4's before IPv6's.
    private let lengths: UnsafeMutablePointer<UInt8>
    private let ipv4Lengths: Int
    private let allLengths: Int

    /// A table of the peers' addresses and networks. Of two equal ones the later wins.
    init(_ addresses: [(IPAddress, Int)], networks: [(Prefix, Int)] = [], key: FlowKey) {
        self.key = key
        let capacity = max(16, ((addresses.count + networks.count) * 2).nextPowerOfTwo)
        mask = capacity - 1
        entries = .allocate(capacity: capacity)
        entries.initialize(
            repeating: Entry(address: IPAddress(v4: 0), length: 0, peer: -1), count: capacity)
        func lengths(of family: IPAddress.Family) -> [UInt8] {
            Set(networks.map(\.0).filter { $0.address.family == family }.map(\.length)).sorted(by: >)
        }
        let (ipv4, ipv6) = (lengths(of: .v4), lengths(of: .v6))
        (ipv4Lengths, allLengths) = (ipv4.count, ipv4.count + ipv6.count)
        self.lengths = .allocate(capacity: max(1, allLengths))
        for (index, length) in (ipv4 + ipv6).enumerated() { (self.lengths + index).initialize(to: length) }
        for (network, peer) in networks {
            insert(network.address.masked(to: Int(network.length)), length: network.length, peer)
        }
        for (address, peer) in addresses { insert(address, length: Self.whole(address), peer) }
    }

    deinit {
        entries.deallocate()
        lengths.deallocate()
    }

    private func insert(_ address: IPAddress, length: UInt8, _ peer: Int) {
        var place = hash(address, length) & mask
        while entries[place].peer >= 0
            && (entries[place].address != address || entries[place].length != length)
        {
            place = (place + 1) & mask
        }
        entries[place] = Entry(address: address, length: length, peer: Int32(peer))
    }

    /// The peer that owns the address.
    func find(_ address: IPAddress) -> Int? {
        if let peer = find(address, length: Self.whole(address)) { return peer }
        let range = address.family == .v4 ? 0..<ipv4Lengths : ipv4Lengths..<allLengths
        for index in range {
            let length = lengths[index]
            if let peer = find(address.masked(to: Int(length)), length: length) { return peer }
        }
        return nil
    }

    private func find(_ address: IPAddress, length: UInt8) -> Int? {
        var place = hash(address, length) & mask
        while entries[place].peer >= 0 {
            if entries[place].address == address && entries[place].length == length {
                return Int(entries[place].peer)
            }
            place = (place + 1) & mask
        }
        return nil
    }

    private static func whole(_ address: IPAddress) -> UInt8 { UInt8(address.byteCount * 8) }

    func hash(_ address: IPAddress, _ length: UInt8) -> Int {
        Int(key.hash(address, UInt64(length)))
    }
}
