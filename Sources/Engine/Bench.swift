import Packet
import Proto

/// A session's test traffic: packets without meaning that cross the tunnel like all others, and are counted
/// and discarded at the other end.
struct Bench {
    /// Bytes of a test packet: every path carries it, as IPv6 requires that much (RFC 8200 section 5).
    static let size = 1280
    /// Maximum time of sending that one request of the client grants. A client that has gone away receives
    /// nothing after that.
    static let longestGrant = Interval.milliseconds(500)
    /// How long a server sends to a client that keeps asking, and the fraction of the time (1/`refill`) in
    /// which it sends after that.
    static let largestAllowance = Interval.seconds(120)
    static let refill: Int64 = 10

    /// Time until which this end sends.
    var sendsUntil = Instant.zero
    /// The path that carries all of this end's traffic until then, if it is up.
    var pathID = BenchFrame.everyPath
    /// Bytes of test packets received here.
    var received: UInt64 = 0
    /// Client: the server's last count.
    var peerCount: BenchCountFrame?
    /// Client: the request to send to the server.
    var request: BenchFrame?
    /// Server: whether to tell the client what has arrived.
    var owesCount = false
    /// Server: how long it may still send.
    var allowance = Self.largestAllowance
    var grantedAt = Instant.zero

    /// Whether a control frame is due.
    var owesFrame: Bool { request != nil || owesCount }

    /// Sends for `length` from now on.
    mutating func send(on pathID: UInt16, for length: Interval, now: Instant) {
        self.pathID = pathID
        sendsUntil = now + min(length, Self.longestGrant)
    }

    /// Server: grants the client's request.
    mutating func grant(_ frame: BenchFrame, now: Instant) {
        owesCount = true
        guard frame.milliseconds > 0 else { return }
        if grantedAt != .zero {
            allowance = min(allowance + (now - grantedAt) / Self.refill, Self.largestAllowance)
        }
        grantedAt = now
        let wanted = min(.milliseconds(Int64(clamping: frame.milliseconds)), Self.longestGrant)
        let more = now + wanted - max(sendsUntil, now)
        guard more <= allowance else { return }
        if more > .zero { allowance = allowance - more }
        send(on: frame.pathID, for: wanted, now: now)
    }

    /// Writes the request or the count that the peer is owed.
    mutating func compose(_ writer: inout FrameWriter, now: Instant) {
        if let request, writer.append(request) { self.request = nil }
        if owesCount, writer.append(BenchCountFrame(time: now.microseconds, bytes: received)) {
            owesCount = false
        }
    }
}
