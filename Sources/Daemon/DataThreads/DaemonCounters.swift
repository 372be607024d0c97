import Transport

/// Drops and errors outside the Engine.
struct DaemonCounters {
    /// Datagrams that the kernel did not take.
    var unsent: UInt64 = 0
    /// Receive errors, such as a returned ICMP error.
    var receiveErrors: UInt64 = 0
    /// Packets that the TUN device did not take.
    var tunnelErrors: UInt64 = 0
    /// Datagrams larger than their interface's MTU.
    var tooBig: UInt64 = 0
    /// Datagrams that found the socket's or the interface's queue full.
    var noBuffers: UInt64 = 0
    /// Datagrams that a packet filter refused.
    var notPermitted: UInt64 = 0
    /// Letters for another data thread whose mailbox was full.
    var handoverFull: UInt64 = 0
    /// Handshakes completed.
    var handshakes: UInt64 = 0

    mutating func note(_ problem: SendProblem) {
        switch problem {
        case .tooBig: tooBig += 1
        case .wouldBlock, .noBuffers: noBuffers += 1
        case .notPermitted: notPermitted += 1
        case .unreachable, .interfaceGone, .other: break
        }
    }
}
