import Packet

/// Finds flows by port and end user: open addressing with linear probing, twice as many places as flows. It
/// uses the library's keyed hash, so that end users cannot choose addresses that collide.
struct FlowIndex: ~Copyable {
    private var places: [Int32]
    private var count = 0
    private static let smallest = 64

    init() { places = Array(repeating: -1, count: Self.smallest) }

    /// The flow's number; -1 if there is none.
    func find(_ port: Int32, _ source: Endpoint, in flows: borrowing Slab<Flow>) -> Int {
        var place = Self.hash(port, source) & (places.count - 1)
        while places[place] >= 0 {
            let flow = flows[Int(places[place])]
            if flow.pointee.port == port && flow.pointee.source == source { return Int(places[place]) }
            place = (place + 1) & (places.count - 1)
        }
        return -1
    }

    /// Inserts a flow that is not in the index.
    mutating func insert(_ index: Int, in flows: borrowing Slab<Flow>) {
        count += 1
        if count * 2 > places.count { resize(to: places.count * 2, flows) }
        put(Int32(index), flows)
    }

    /// Removes a flow, which must be in the index.
    mutating func remove(_ index: Int, in flows: borrowing Slab<Flow>) {
        let mask = places.count - 1
        var place = Self.home(Int32(index), flows) & mask
        while places[place] != Int32(index) { place = (place + 1) & mask }
        // The entries after it move up unless that would put them before their home (Knuth, volume 3, algorithm
        // 6.4R).
        var next = (place + 1) & mask
        while places[next] >= 0 {
            let home = Self.home(places[next], flows) & mask
            if (next - home) & mask >= (next - place) & mask {
                places[place] = places[next]
                place = next
            }
            next = (next + 1) & mask
        }
        places[place] = -1
        count -= 1
        if places.count > Self.smallest && count * 8 < places.count { resize(to: places.count / 2, flows) }
    }

    private mutating func put(_ index: Int32, _ flows: borrowing Slab<Flow>) {
        var place = Self.home(index, flows) & (places.count - 1)
        while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
        places[place] = index
    }

    private mutating func resize(to size: Int, _ flows: borrowing Slab<Flow>) {
        let old = places
        places = Array(repeating: -1, count: size)
        for index in old where index >= 0 { put(index, flows) }
    }

    private static func home(_ index: Int32, _ flows: borrowing Slab<Flow>) -> Int {
        let flow = flows[Int(index)]
        return hash(flow.pointee.port, flow.pointee.source)
    }

    private static func hash(_ port: Int32, _ source: Endpoint) -> Int {
        var hasher = Hasher()
        hasher.combine(port)
        hasher.combine(source)
        return hasher.finalize()
    }
}

/// Datagrams from one end user to one port, and the replies.
struct Flow {
    /// The socket connected to the target; -1 while its name is being resolved.
    var socket: Int32 = -1
    /// The number of the port, and the descriptor of its socket from which replies leave.
    let port: Int32
    let listener: Int32
    /// The number of the rule, and the indices of its port and target.
    let service: Int32
    let offset: UInt16
    var targetIndex: UInt8 = 0
    /// The end user.
    let source: Endpoint
    /// The address the end user sent to, which is the source of replies.
    var local: IPAddress
    /// When the last datagram passed.
    var used: Instant
    /// When it next gets attention.
    var lookedAt = Instant.never
    /// The first datagram, possibly empty, while the target's name is being resolved; nil if none is held.
    var held: [UInt8]?
}
