/// The source symbols in a repair symbol: a run of sequences, each with its coefficient (RFC 8681 section
/// 3.1).
public struct EncodingWindow: Equatable, Sendable {
    /// Maximum number of symbols in a window, which must fit the byte that the wire format has for it.
    public static let longest = 240

    /// The lowest sequence.
    public let first: UInt64
    /// Number of sequences.
    public var count: Int
    /// Distinguishes repair symbols of the same sequences.
    public let seed: UInt8

    /// A window.
    public init(first: UInt64, count: Int, seed: UInt8) {
        self.first = first
        self.count = count
        self.seed = seed
    }

    /// The sequence after the highest.
    public var end: UInt64 { first &+ UInt64(truncatingIfNeeded: count) }

    /// Whether the repair symbol includes `sequence`.
    public func contains(_ sequence: UInt64) -> Bool { sequence >= first && sequence < end }

    /// Whether the two windows have sequences in common.
    func overlaps(_ other: EncodingWindow) -> Bool { first < other.end && other.first < end }

    /// The coefficient of the symbol of `sequence`: 1 to 255, from SplitMix64 (Steele, Lea and Flood, "Fast
    /// splittable pseudorandom number generators", OOPSLA 2014). Unlike RFC 8681's generator it yields each
    /// coefficient independently, as symbols arrive in any order.
    public func coefficient(of sequence: UInt64) -> UInt8 {
        var z = (first ^ UInt64(seed) &<< 56) &* 0xD134_2543_DE82_EF95 &+ sequence &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ z &>> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z &>> 27) &* 0x94D0_49BB_1331_11EB
        z ^= z &>> 31
        return UInt8(truncatingIfNeeded: 1 &+ (z &>> 32) % 255)
    }
}
