/// A ring of bits, one for each sequence, found by the low bits of the sequence: its owner knows which run of sequences it
/// stands for. Without memory until the first bit is set.
struct SequenceBits: ~Copyable {
    /// The fewest bits: 65,536, over half a second at 100,000 packets a second.
    static let shortest: UInt64 = 65536
    /// The most: half a second at 5 Gbit/s.
    static let longest: UInt64 = 262_144

    /// How many sequences have a bit of their own, a power of two.
    private(set) var span = Self.shortest

    private var words: UnsafeMutablePointer<UInt64>?

    init() {}

    deinit { words?.deallocate() }

    private func index(_ sequence: UInt64) -> Int {
        Int(truncatingIfNeeded: sequence >> 6 & (span / 64 &- 1))
    }

    /// The bits of the 64 sequences around `sequence`, the lowest one's first.
    func word(of sequence: UInt64) -> UInt64 { words.map { $0[index(sequence)] } ?? 0 }

    func contains(_ sequence: UInt64) -> Bool { word(of: sequence) >> (sequence & 63) & 1 == 1 }

    mutating func insert(_ sequence: UInt64) {
        let words = words ?? allocate()
        words[index(sequence)] |= 1 << (sequence & 63)
    }

    func remove(_ sequence: UInt64) {
        words?[index(sequence)] &= ~(1 << (sequence & 63))
    }

    /// Clears the bits of `sequences`, and no more than all.
    func clear(_ sequences: ClosedRange<UInt64>) {
        guard let words else { return }
        if sequences.upperBound - sequences.lowerBound >= span {
            words.update(repeating: 0, count: Int(span / 64))
            return
        }
        var sequence = sequences.lowerBound
        while sequence <= sequences.upperBound {
            if sequence & 63 == 0 && sequence + 63 <= sequences.upperBound {
                words[index(sequence)] = 0
                sequence += 64
            } else {
                remove(sequence)
                sequence += 1
            }
        }
    }

    /// Doubles the span; what is set of `sequences`, which are no more than the span, stays so.
    mutating func grow(keeping sequences: Range<UInt64>) {
        guard span < Self.longest else { return }
        var larger = SequenceBits()
        larger.span = span * 2
        var sequence = sequences.lowerBound
        while sequence < sequences.upperBound {
            // Whole words where they are wholly kept.
            if sequence & 63 == 0 && sequence + 64 <= sequences.upperBound {
                let bits = word(of: sequence)
                if bits != 0 {
                    let words = larger.words ?? larger.allocate()
                    words[larger.index(sequence)] = bits
                }
                sequence += 64
            } else {
                if contains(sequence) { larger.insert(sequence) }
                sequence += 1
            }
        }
        self = larger
    }

    /// Gives the memory back: no bit is set.
    mutating func forget() { self = SequenceBits() }

    private mutating func allocate() -> UnsafeMutablePointer<UInt64> {
        let made = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(span / 64))
        made.initialize(repeating: 0, count: Int(span / 64))
        words = made
        return made
    }
}
