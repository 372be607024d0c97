/// A ring of bits, one per sequence, found by the sequence's low bits; its owner knows which run of sequences
/// it stands for. No memory is allocated until the first bit is set.
struct SequenceBits: ~Copyable {
    /// Minimum number of bits: 65,536, more than half a second at 100,000 packets a second.
    static let shortest: UInt64 = 65536
    /// Maximum number of bits: half a second at 5 Gbit/s.
    static let longest: UInt64 = 262_144

    /// Number of sequences with a bit of their own, a power of two.
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

    /// Clears the bits of `sequences`, visiting each bit at most once.
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

    /// Doubles the span; bits set within `sequences`, a range no longer than the span, stay set.
    mutating func grow(keeping sequences: Range<UInt64>) {
        guard span < Self.longest else { return }
        var larger = SequenceBits()
        larger.span = span * 2
        var sequence = sequences.lowerBound
        while sequence < sequences.upperBound {
            // Copy whole words where all of their bits are kept.
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

    /// Releases the memory: no bit is set any more.
    mutating func forget() { self = SequenceBits() }

    private mutating func allocate() -> UnsafeMutablePointer<UInt64> {
        let made = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(span / 64))
        made.initialize(repeating: 0, count: Int(span / 64))
        words = made
        return made
    }
}
