/// A sliding window of bits over sequences: which of the last `span` were seen.
///
/// The window moves up with the highest sequence; what leaves it at the bottom counts as seen.
struct SequenceWindow: ~Copyable {
    /// How many sequences the window covers: 65536, over half a second at 100,000 packets a second.
    static let span: UInt64 = 65536

    /// Made with the first sequence, and dropped by `forget`: an idle session has none.
    private var words: UnsafeMutablePointer<UInt64>?
    /// One above the highest sequence seen.
    private(set) var top: UInt64 = 0
    /// What is below was forgotten.
    private var floor: UInt64 = 0

    init() {}

    deinit { words?.deallocate() }

    /// The lowest sequence that the window still knows.
    var bottom: UInt64 { max(floor, top > Self.span ? top - Self.span : 0) }

    /// Whether `sequence` was seen, or is too old to know.
    func contains(_ sequence: UInt64) -> Bool {
        if sequence < bottom { return true }
        guard let words, sequence < top else { return false }
        return words[Int(sequence >> 6 & (Self.span / 64 - 1))] >> (sequence & 63) & 1 == 1
    }

    /// Marks `sequence` as seen; nothing happens below the window.
    mutating func insert(_ sequence: UInt64) {
        let words = words ?? allocate()
        if sequence >= top {
            clear(words, from: top, to: sequence)
            top = sequence + 1
        } else if sequence < bottom {
            return
        }
        words[Int(sequence >> 6 & (Self.span / 64 - 1))] |= 1 << (sequence & 63)
    }

    /// Gives the memory back: all up to the highest sequence counts as seen from now on.
    mutating func forget() {
        floor = top
        words?.deallocate()
        words = nil
    }

    /// Clears the bits of the sequences that the window moves onto, which still say what was seen `span` earlier.
    private func clear(_ words: UnsafeMutablePointer<UInt64>, from: UInt64, to: UInt64) {
        if to - from >= Self.span {
            words.update(repeating: 0, count: Int(Self.span / 64))
            return
        }
        var sequence = from
        while sequence <= to {
            let word = Int(sequence >> 6 & (Self.span / 64 - 1))
            if sequence & 63 == 0 && sequence + 63 <= to {
                words[word] = 0
                sequence += 64
            } else {
                words[word] &= ~(1 << (sequence & 63))
                sequence += 1
            }
        }
    }

    private mutating func allocate() -> UnsafeMutablePointer<UInt64> {
        let made = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(Self.span / 64))
        made.initialize(repeating: 0, count: Int(Self.span / 64))
        words = made
        return made
    }
}
