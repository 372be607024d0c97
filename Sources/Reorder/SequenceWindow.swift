/// A sliding window of bits over sequences: which of the last `span` were seen.
///
/// The window moves up with the highest sequence; sequences that leave it at the bottom count as seen.
struct SequenceWindow: ~Copyable {
    /// Freed by `forget`: an idle session has no memory for it.
    private var bits = SequenceBits()
    /// One above the highest sequence seen.
    private(set) var top: UInt64 = 0
    /// Everything below this was forgotten.
    private var floor: UInt64 = 0

    init() {}

    /// Number of sequences that the window covers.
    var span: UInt64 { bits.span }

    /// The lowest sequence that the window covers.
    var bottom: UInt64 { max(floor, top > span ? top - span : 0) }

    /// Whether `sequence` was seen, or is too old to know.
    func contains(_ sequence: UInt64) -> Bool {
        if sequence < bottom { return true }
        return sequence < top && bits.contains(sequence)
    }

    /// Which of the 64 sequences around `sequence` were seen, the lowest one's bit first. Bits of sequences
    /// outside the window are arbitrary.
    func word(of sequence: UInt64) -> UInt64 { bits.word(of: sequence) }

    /// Marks `sequence` as seen; has no effect below the window.
    mutating func insert(_ sequence: UInt64) {
        if sequence >= top {
            // These bits still stand for the sequences `span` lower.
            bits.clear(top...sequence)
            top = sequence + 1
        } else if sequence < bottom {
            return
        }
        bits.insert(sequence)
    }

    /// Doubles the number of sequences in the window, up to its limit. Those that had left it stay forgotten.
    mutating func grow() {
        let bottom = bottom
        bits.grow(keeping: bottom..<top)
        floor = bottom
    }

    /// Releases the memory: all sequences up to the highest count as seen from now on.
    mutating func forget() {
        floor = top
        bits.forget()
    }
}
