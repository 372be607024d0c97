import Packet

/// Datagrams from one end user to one port, and the replies.
struct Flow {
    /// The socket connected to the target; -1 while its name is being resolved.
    var socket: Int32 = -1
    /// The number of the port, and the descriptor of its socket from which replies leave.
    let port: Int32
    let listener: Int32
    /// The number of the rule, and the indices of its port and target.
    let service: Int32
    let offset: UInt16
    var targetIndex: UInt8 = 0
    /// The end user.
    let source: Endpoint
    /// The address the end user sent to, which is the source of replies.
    var local: IPAddress
    /// When the last datagram passed.
    var used: Instant
    /// When it next gets attention.
    var lookedAt = Instant.never
    /// The first datagram, possibly empty, while the target's name is being resolved; nil if none is held.
    var held: [UInt8]?
}
