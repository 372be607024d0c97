import Packet
import Proto

/// The preshared key that enters a session's keys in addition to the key agreements.
public enum SharedSecret: Equatable, Sendable {
    /// None: a quantum computer can decrypt a recording of the session.
    case none
    /// A key from the configuration, or of an invitation.
    case configured
    /// A key of that generation, given to the client by the server at its enrolment or since.
    case given(generation: UInt32)

    /// The generation of a given key; 0 without one, as in an init.
    var generation: UInt32 {
        if case .given(let generation) = self { generation } else { 0 }
    }
}

/// State of the handover of a newer preshared key in a session.
struct SecretExchange {
    /// A server repeats a key that the client has not acknowledged after this time, then after twice as long,
    /// up to `longestPause`: the client's disk may be full.
    static let firstPause = Interval.seconds(1)
    static let longestPause = Interval.seconds(60)

    /// Server: the key to give to the client.
    private(set) var owed: ClientSecret?
    /// Server: when it is sent (again); `.never` without one.
    private(set) var due = Instant.never
    private var pause = firstPause
    /// Client: the newest generation that is on its disk; 0 without one.
    var kept: UInt32 = 0
    /// Client: whether to acknowledge it to the server.
    var owesAcknowledgement = false
    /// Client: when it last took a key; `.never` before the first.
    private var takenAt = Instant.never
    /// Client: minimum interval between keys taken. Each is a write to disk, and the server decides how many
    /// there are.
    private static let shortestInterval = Interval.seconds(10)

    /// Server: schedules a key for the client.
    mutating func owe(_ secret: ClientSecret, now: Instant) {
        if owed == secret { return }
        (owed, due, pause) = (secret, now, Self.firstPause)
    }

    /// Client: whether to take a key that the server gives now.
    mutating func mayTake(now: Instant) -> Bool {
        guard takenAt == .never || now - takenAt >= Self.shortestInterval else { return false }
        takenAt = now
        return true
    }

    /// Server: the key has just left.
    mutating func left(now: Instant) {
        due = now + pause
        pause = min(pause * 2, Self.longestPause)
    }

    /// Server: the client has stored a generation on disk.
    mutating func acknowledged(_ generation: UInt32) {
        guard owed?.generation == generation else { return }
        (owed, due) = (nil, .never)
    }
}
