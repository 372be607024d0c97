/// Which packet numbers of a path arrived: the highest, and those of the 256 below it.
public struct AckMap: Sendable, Equatable {
    /// Number of packet numbers below the highest that the map covers.
    public static let span: UInt64 = 256

    /// The highest packet number received.
    public var highest: UInt64
    /// Bit i of word w: whether packet `highest - 1 - (64 w + i)` was received.
    public var words: (UInt64, UInt64, UInt64, UInt64)

    /// A map of the given words.
    public init(highest: UInt64, words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)) {
        self.highest = highest
        self.words = words
    }

    /// Whether `number` was received; false for numbers above the highest or below the map.
    public func contains(_ number: UInt64) -> Bool {
        if number >= highest { return number == highest }
        let distance = highest - 1 - number
        let bit = distance & 63
        return switch distance >> 6 {
        case 0: words.0 >> bit & 1 == 1
        case 1: words.1 >> bit & 1 == 1
        case 2: words.2 >> bit & 1 == 1
        case 3: words.3 >> bit & 1 == 1
        default: false
        }
    }

    /// Whether both maps have the same contents.
    public static func == (a: AckMap, b: AckMap) -> Bool { a.highest == b.highest && a.words == b.words }
}
