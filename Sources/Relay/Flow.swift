import Packet

/// Datagrams of one end user to one port, and what comes back.
struct Flow {
    /// The socket that is connected to the target; -1 while its name is looked up.
    var socket: Int32 = -1
    /// The number of the port, and the descriptor of its socket by which answers leave.
    let port: Int32
    let listener: Int32
    /// The number of the rule, which of its ports it is, and which of its targets.
    let service: Int32
    let offset: UInt16
    var targetIndex: UInt8 = 0
    /// The end user.
    let source: Endpoint
    /// The address that the end user sent to, from which answers come.
    var local: IPAddress
    /// When something passed last.
    var used: Instant
    /// When it will be looked at.
    var lookedAt = Instant.never
    /// The datagram that it began with, which may be empty, while its target's name is looked up; nil: none is held.
    var held: [UInt8]?
}
