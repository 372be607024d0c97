/// Chains of places, each found by the hash of a sequence. The owner knows which sequence each place stands
/// for.
struct HashChains: ~Copyable {
    /// Length of the longest chain that may still take a new place. An honest peer's chains have one or two
    /// places; a peer that picks sequences that collide must not make us walk a long chain.
    private static let longest = 32
    private let capacity: Int
    /// The first place of each chain, or -1.
    private let heads: UnsafeMutablePointer<Int32>
    /// The next place in the chain after each place, or -1.
    private let links: UnsafeMutablePointer<Int32>

    /// As many chains as places, all empty.
    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        self.capacity = capacity
        heads = .allocate(capacity: capacity)
        heads.initialize(repeating: -1, count: capacity)
        links = .allocate(capacity: capacity)
        links.initialize(repeating: -1, count: capacity)
    }

    deinit {
        heads.deallocate()
        links.deallocate()
    }

    /// Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4), because the
    /// sequences on a slow path may all be multiples of a power of two. When the tables double, each chain
    /// splits in two, so none becomes longer.
    private func head(_ sequence: UInt64) -> UnsafeMutablePointer<Int32> {
        let product = sequence &* 0x9E37_79B9_7F4A_7C15
        return heads + Int(truncatingIfNeeded: product >> UInt64(capacity.leadingZeroBitCount + 1))
    }

    /// The first place in the chain of `sequence`, or -1.
    func first(_ sequence: UInt64) -> Int32 { head(sequence).pointee }

    /// The place after `place`, or -1.
    func next(_ place: Int32) -> Int32 { links[Int(place)] }

    /// Whether the chain of `sequence` is too long for another place.
    func isCrowded(_ sequence: UInt64) -> Bool {
        var length = 0
        var place = first(sequence)
        while place >= 0 && length < Self.longest {
            place = next(place)
            length += 1
        }
        return place >= 0
    }

    /// Adds a place to the chain of `sequence`.
    mutating func insert(_ place: Int32, _ sequence: UInt64) {
        let head = head(sequence)
        links[Int(place)] = head.pointee
        head.pointee = place
    }

    /// Removes a place from the chain of `sequence`.
    /// - Precondition: the chain contains it.
    mutating func remove(_ place: Int32, _ sequence: UInt64) {
        var link = head(sequence)
        while link.pointee != place { link = links + Int(link.pointee) }
        link.pointee = links[Int(place)]
    }
}
