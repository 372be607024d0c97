/// Chains of places, each found by the hash of a sequence. The owner knows which sequence a place stands for.
struct HashChains: ~Copyable {
    /// The longest chain that is walked for a new place. Those of an honest peer have one or two places; one that picks its
    /// sequences so that they meet in a chain must not have us walk along it.
    private static let longest = 32
    private let capacity: Int
    /// The first place of each chain, or -1.
    private let heads: UnsafeMutablePointer<Int32>
    /// The place behind each, or -1.
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

    /// Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4): the sequences of a slow path may all be
    /// multiples of a power of two. When tables double each chain splits in two, so none becomes longer.
    private func head(_ sequence: UInt64) -> UnsafeMutablePointer<Int32> {
        let product = sequence &* 0x9E37_79B9_7F4A_7C15
        return heads + Int(truncatingIfNeeded: product >> UInt64(capacity.leadingZeroBitCount + 1))
    }

    /// The first place of the chain of `sequence`, or -1.
    func first(_ sequence: UInt64) -> Int32 { head(sequence).pointee }

    /// The place behind `place`, or -1.
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

    /// Puts a place into the chain of `sequence`.
    mutating func insert(_ place: Int32, _ sequence: UInt64) {
        let head = head(sequence)
        links[Int(place)] = head.pointee
        head.pointee = place
    }

    /// Takes a place out of the chain of `sequence`.
    /// - Precondition: it is there.
    mutating func remove(_ place: Int32, _ sequence: UInt64) {
        var link = head(sequence)
        while link.pointee != place { link = links + Int(link.pointee) }
        link.pointee = links[Int(place)]
    }
}
