import CLinux

/// To which of the sockets that share a port a datagram goes: two kinds of datagrams carry the socket's number, in the
/// order in which they were bound; all others go to the first.
public struct Steering: Sendable {
    /// The byte that has the kind, counted from the datagram's first, and which of its bits.
    public var kindOffset: Int
    /// See `kindOffset`.
    public var kindMask: UInt8
    /// The kinds that carry a number.
    public var kinds: (UInt8, UInt8)
    /// The big-endian 32-bit word that has the number.
    public var wordOffset: Int
    /// How far to the right the word is shifted, and which bits are the number then.
    public var shift: Int
    /// See `shift`.
    public var mask: UInt32

    /// A rule.
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
