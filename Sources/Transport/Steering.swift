import CLinux

/// The rule that selects one of the sockets sharing a port for a datagram: two kinds of datagrams carry the
/// socket's number, in the order in which the sockets were bound; all others go to the first.
public struct Steering: Sendable {
    /// The offset of the byte with the kind, and the mask to apply to it.
    public var kindOffset: Int
    /// See `kindOffset`.
    public var kindMask: UInt8
    /// The kinds that carry a number.
    public var kinds: (UInt8, UInt8)
    /// The offset of the big-endian 32-bit word with the number.
    public var wordOffset: Int
    /// The right shift of the word, and the mask to apply afterwards.
    public var shift: Int
    /// See `shift`.
    public var mask: UInt32

    /// A rule with these offsets and masks.
    public init(
        kindOffset: Int, kindMask: UInt8, kinds: (UInt8, UInt8), wordOffset: Int, shift: Int, mask: UInt32
    ) {
        self.kindOffset = kindOffset
        self.kindMask = kindMask
        self.kinds = kinds
        self.wordOffset = wordOffset
        self.shift = shift
        self.mask = mask
    }

    var rule: clinux_steering {
        clinux_steering(
            kind_at: UInt32(kindOffset), kind_mask: UInt32(kindMask),
            kinds: (UInt32(kinds.0), UInt32(kinds.1)), word_at: UInt32(wordOffset), word_shift: UInt32(shift),
            word_mask: mask)
    }
}
