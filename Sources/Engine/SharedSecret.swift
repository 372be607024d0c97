import Packet
import Proto

/// Which preshared key a session's keys follow from, beside the agreements.
public enum SharedSecret: Equatable, Sendable {
    /// None: whoever has recorded it can read it with a quantum computer.
    case none
    /// One of the configuration's, or of an invitation.
    case configured
    /// One that the server has given the client at its enrolment or since, of that generation.
    case given(generation: UInt32)

    /// The generation of a given one; 0 without one, as in an init.
    var generation: UInt32 {
        if case .given(let generation) = self { generation } else { 0 }
    }
}

/// Where the handing over of a newer preshared key stands in a session.
struct SecretExchange {
    /// A server repeats a key that the client has not acknowledged after this time, then after twice as long, up to
    /// `longestPause`: the client's disk may be full.
    static let firstPause = Interval.seconds(1)
    static let longestPause = Interval.seconds(60)

    /// Server: what the client is to be given.
    private(set) var owed: ClientSecret?
    /// Server: when it goes (again); `.never` without one.
    private(set) var due = Instant.never
    private var pause = firstPause
    /// Client: the newest generation that is on its disk; 0 without one.
    var kept: UInt32 = 0
    /// Client: whether the server is to be told so.
    var owesAcknowledgement = false
    /// Client: when it took a key last; `.never` before the first.
    private var takenAt = Instant.never
    /// Client: how often it takes one. Each is a write to the disk, and the server says how many there are.
    private static let shortestInterval = Interval.seconds(10)

    /// Server: the client is to be given this.
    mutating func owe(_ secret: ClientSecret, now: Instant) {
        if owed == secret { return }
        (owed, due, pause) = (secret, now, Self.firstPause)
    }

    /// Client: whether a key that the server gives is to be taken now.
    mutating func mayTake(now: Instant) -> Bool {
        guard takenAt == .never || now - takenAt >= Self.shortestInterval else { return false }
        takenAt = now
        return true
    }

    /// Server: it left just now.
    mutating func left(now: Instant) {
        due = now + pause
        pause = min(pause * 2, Self.longestPause)
    }

    /// Server: the client has a generation on its disk.
    mutating func acknowledged(_ generation: UInt32) {
        guard owed?.generation == generation else { return }
        (owed, due) = (nil, .never)
    }
}
