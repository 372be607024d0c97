import Packet
import Proto

/// The test traffic of a session: packets of no meaning that cross the tunnel as all others do, and are counted and dropped
/// where they come out.
struct Bench {
    /// Bytes of a test packet: every path carries it, IPv6 wants as much (RFC 8200 section 5).
    static let size = 1280
    /// The most that one request of the client brings. One that has gone away is sent nothing for longer.
    static let longestGrant = Interval.milliseconds(500)
    /// How long a server sends to a client that asks for as much as it can, and which part of the time after that.
    static let largestAllowance = Interval.seconds(120)
    static let refill: Int64 = 10

    /// Until when this end sends.
    var sendsUntil = Instant.zero
    /// Until when all that leaves this end goes on one path, if that is up.
    var pathID = BenchFrame.everyPath
    /// Bytes of test packets that came out here.
    var received: UInt64 = 0
    /// Client: what the server has said last.
    var peerCount: BenchCountFrame?
    /// Client: what it is to be asked.
    var request: BenchFrame?
    /// Server: whether the client is to be told what came.
    var owesCount = false
    /// Server: for how long it may still send.
    var allowance = Self.largestAllowance
    var grantedAt = Instant.zero

    /// Whether a control frame waits.
    var owesFrame: Bool { request != nil || owesCount }

    /// Sends for so long from now on.
    mutating func send(on pathID: UInt16, for length: Interval, now: Instant) {
        self.pathID = pathID
        sendsUntil = now + min(length, Self.longestGrant)
    }

    /// Server: the client asks for `frame`.
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
