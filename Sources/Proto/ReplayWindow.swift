/// The packet numbers of a path that have arrived: the highest one and the 8192 numbers up to it, in a ring of
/// bits.
///
/// Call `isFresh` before opening a datagram, and `mark` after its tag has been verified: a forged number must
/// not move the window. As in RFC 6479, the ring is never shifted; words are cleared as the window moves over
/// them.
public struct ReplayWindow: ~Copyable {
    private static let size = UInt64(Wire.replayWindow)
    private static let wordCount = Wire.replayWindow / 64

    private let words: UnsafeMutablePointer<UInt64>
    /// One above the highest number; 0 if nothing has arrived.
    private var end: UInt64 = 0

    /// Creates a window in which every number is fresh. Takes 1 KiB of memory.
    public init() {
        words = .allocate(capacity: Self.wordCount)
        words.initialize(repeating: 0, count: Self.wordCount)
    }

    deinit { words.deallocate() }

    /// Whether nothing has arrived yet.
    public var isEmpty: Bool { end == 0 }

    /// The highest number that has arrived; also 0 if nothing has.
    public var highest: UInt64 { end == 0 ? 0 : end &- 1 }

    /// Whether `packetNumber` has not arrived yet and is within the window.
    public func isFresh(_ packetNumber: UInt64) -> Bool {
        if packetNumber >= end { return packetNumber <= Wire.maximumPacketNumber }
        guard end &- packetNumber <= Self.size else { return false }
        return words[Self.word(packetNumber)] & Self.bit(packetNumber) == 0
    }

    /// The arrivals among the 256 numbers below `highest`, in the form of an ACK frame: bit i of word w stands for
    /// `highest - 1 - (64 w + i)`.
    /// - Precondition: `highest` does not exceed the window's `highest`.
    public func map(below highest: UInt64) -> (UInt64, UInt64, UInt64, UInt64) {
        (
            run(below: highest, 0), run(below: highest, 64), run(below: highest, 128),
            run(below: highest, 192)
        )
    }

    /// The arrivals among the 64 numbers below `highest - distance`.
    private func run(below highest: UInt64, _ distance: UInt64) -> UInt64 {
        guard highest > distance else { return 0 }
        let top = highest &- distance
        // Numbers top - 64...top - 1, the lowest one's bit first; those below 0 have none.
        let first = top &- 64
        let low = words[Self.word(top &- 1)]
        let offset = top & 63
        var bits = low
        if offset != 0 {
            let below = top < 64 ? 0 : words[Self.word(first)]
            bits = below &>> offset | low &<< (64 &- offset)
        }
        return bits.bitReversed
    }

    /// Records the arrival of `packetNumber`. A number below the window changes nothing.
    public mutating func mark(_ packetNumber: UInt64) {
        if packetNumber >= end {
            guard packetNumber <= Wire.maximumPacketNumber else { return }
            clear(from: end, to: packetNumber)
            end = packetNumber &+ 1
        } else if end &- packetNumber > Self.size {
            return
        }
        words[Self.word(packetNumber)] |= Self.bit(packetNumber)
    }

    /// Clears the bits of `first...last`, which stood for numbers 8192 below.
    private func clear(from first: UInt64, to last: UInt64) {
        if last &- first >= Self.size {
            words.update(repeating: 0, count: Self.wordCount)
            return
        }
        var number = first
        while number <= last {
            let inWord = min(64 &- (number & 63), last &- number &+ 1)
            let ones = inWord == 64 ? UInt64.max : (1 << inWord &- 1)
            words[Self.word(number)] &= ~(ones << (number & 63))
            number &+= inWord
        }
    }

    private static func word(_ number: UInt64) -> Int {
        Int(truncatingIfNeeded: number >> 6) & (wordCount &- 1)
    }
    private static func bit(_ number: UInt64) -> UInt64 { 1 << (number & 63) }
}

extension UInt64 {
    /// The bits in reverse order: neighbors are swapped, then pairs of them, and so on.
    fileprivate var bitReversed: UInt64 {
        var x = byteSwapped
        x = x >> 4 & 0x0F0F_0F0F_0F0F_0F0F | (x & 0x0F0F_0F0F_0F0F_0F0F) << 4
        x = x >> 2 & 0x3333_3333_3333_3333 | (x & 0x3333_3333_3333_3333) << 2
        return x >> 1 & 0x5555_5555_5555_5555 | (x & 0x5555_5555_5555_5555) << 1
    }
}
