import Packet
import Proto

/// State of an enrolment in a session that was made with an invitation's keys.
struct Enrolling {
    /// A client repeats its request this often; a server passes it on at most ten times a second
    /// (`patience`).
    static let interval = Interval.milliseconds(500)
    static let patience = Interval.milliseconds(100)
    /// How long a client waits before it asks again if the server could not store its key.
    static let respite = Interval.seconds(2)

    /// Client: the key that is to become a client's.
    var publicKey: PublicKey?
    /// Client: when its request is sent (again); `.never` without one.
    var due = Instant.never
    /// Server: when the request was last passed on.
    var heardAt = Instant.zero
    /// Server: the client's proof that the key is its own.
    var proof: EnrolProof?
    /// Server: the preshared key that accompanies the outcome.
    var secret: ClientSecret?
    /// Server: the outcome to send to the client.
    var owed: EnrolledFrame?
}
