/// A sliding window of bits over sequences: which of the last `span` were seen.
///
/// The window moves up with the highest sequence; what leaves it at the bottom counts as seen.
struct SequenceWindow: ~Copyable {
    /// Dropped by `forget`: an idle session has none.
    private var bits = SequenceBits()
    /// One above the highest sequence seen.
    private(set) var top: UInt64 = 0
    /// What is below was forgotten.
    private var floor: UInt64 = 0

    init() {}

    /// How many sequences the window covers.
    var span: UInt64 { bits.span }

    /// The lowest sequence that the window still knows.
    var bottom: UInt64 { max(floor, top > span ? top - span : 0) }

    /// Whether `sequence` was seen, or is too old to know.
    func contains(_ sequence: UInt64) -> Bool {
        if sequence < bottom { return true }
        return sequence < top && bits.contains(sequence)
    }

    /// Which of the 64 sequences around `sequence` were seen, the lowest one's bit first. What is not in the window has any bit.
    func word(of sequence: UInt64) -> UInt64 { bits.word(of: sequence) }

    /// Marks `sequence` as seen; nothing happens below the window.
    mutating func insert(_ sequence: UInt64) {
        if sequence >= top {
            // They still say what was seen `span` earlier.
            bits.clear(top...sequence)
            top = sequence + 1
        } else if sequence < bottom {
            return
        }
        bits.insert(sequence)
    }

    /// Has the window cover twice as many sequences, as far as it may. What had left it stays forgotten.
    mutating func grow() {
        let bottom = bottom
        bits.grow(keeping: bottom..<top)
        floor = bottom
    }

    /// Gives the memory back: all up to the highest sequence counts as seen from now on.
    mutating func forget() {
        floor = top
        bits.forget()
    }
}
