/// The object of an event, deadline or answer: its kind, its number, and the generation of the number.
struct Token: Equatable {
    enum Kind: UInt8 {
        case mailbox
        /// A socket of the resolver; the number is the descriptor.
        case resolver
        /// A listening socket.
        case listener
        /// A port whose host addresses are due to be listed again.
        case addresses
        /// A connection's socket to the end user.
        case client
        /// A connection's socket to the target.
        case target
        /// A connection itself.
        case connection
        /// A UDP flow.
        case flow
        case probe
        /// A rule that is being removed.
        case service
        /// A rule whose targets are due to be probed.
        case probing
    }

    let kind: Kind
    let generation: UInt32
    let index: Int

    init(_ kind: Kind, _ index: Int, _ generation: UInt32 = 0) {
        self.kind = kind
        self.generation = generation & Self.generations
        self.index = index
    }

    /// Decodes epoll's user data: kind, 24 bits of the generation, index.
    init?(bits: UInt64) {
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: bits >> 56)) else { return nil }
        self.init(
            kind, Int(UInt32(truncatingIfNeeded: bits)), UInt32(truncatingIfNeeded: bits >> 32))
    }

    var bits: UInt64 {
        UInt64(kind.rawValue) << 56 | UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
    }

    /// Generations count modulo 2²⁴.
    static let generations: UInt32 = 0xFF_FFFF
}
