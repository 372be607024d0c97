import Proto

/// Session IDs that we chose, and their keys. The low 16 bits of an ID are its index here, so that finding a
/// datagram's keys is one array access; the three bits above are the shard's number, by which a server's
/// kernel finds the thread; the rest is random, so that a stale ID seldom matches a new session.
struct Keyring: ~Copyable {
    struct Entry {
        var id: UInt32 = 0
        var session: UnsafeMutablePointer<Session>?
        var epoch: UnsafeMutablePointer<Epoch>?
    }

    static let bound = 65536

    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 16
    private var free: [UInt16]
    private let shard: UInt32

    /// An empty keyring for the shard of that number.
    init(shard: Int = 0) {
        precondition(shard < Shard.maximum)
        self.shard = UInt32(shard)
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: Entry(), count: capacity)
        free = (1..<UInt16(capacity)).reversed()  // ID 0 means "none" on the wire
    }

    deinit { entries.deallocate() }

    /// Chooses an ID; `nil` if all 65535 are taken.
    mutating func choose(random: UInt32) -> UInt32? {
        if free.isEmpty && !grow() { return nil }
        guard let place = free.popLast() else { return nil }
        let id = random << 19 | shard << 16 | UInt32(place)
        entries[Int(place)] = Entry(id: id)
        return id
    }

    /// Assigns keys to the ID.
    mutating func bind(
        _ id: UInt32, to session: UnsafeMutablePointer<Session>, _ epoch: UnsafeMutablePointer<Epoch>
    ) {
        entries[Int(id & 0xFFFF)] = Entry(id: id, session: session, epoch: epoch)
    }

    /// The session and the keys of the ID.
    func find(_ id: UInt32) -> (session: UnsafeMutablePointer<Session>, epoch: UnsafeMutablePointer<Epoch>)? {
        let place = Int(id & 0xFFFF)
        guard place < capacity, entries[place].id == id, let session = entries[place].session,
            let epoch = entries[place].epoch
        else { return nil }
        return (session, epoch)
    }

    /// Releases the ID.
    mutating func release(_ id: UInt32) {
        let place = Int(id & 0xFFFF)
        guard place < capacity, entries[place].id == id, id != 0 else { return }
        entries[place] = Entry()
        free.append(UInt16(place))
    }

    private mutating func grow() -> Bool {
        guard capacity < Self.bound else { return false }
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        larger.initialize(repeating: Entry(), count: capacity * 2)
        larger.update(from: entries, count: capacity)
        entries.deallocate()
        entries = larger
        free += (UInt16(capacity)...UInt16(capacity * 2 - 1)).reversed()
        capacity *= 2
        return true
    }
}
