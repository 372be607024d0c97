import Packet
import Proto

/// Where the enrolment of a session stands that was made with an invitation's keys.
struct Enrolling {
    /// A client repeats its wish this often, and a server passes it on no more often than ten times a second.
    static let interval = Interval.milliseconds(500)
    static let patience = Interval.milliseconds(100)
    /// A client waits so long before it asks again when the server could not store it.
    static let respite = Interval.seconds(2)

    /// Client: the key that it wants to be a client's.
    var publicKey: PublicKey?
    /// Client: when its wish goes (again); `.never` without one.
    var due = Instant.never
    /// Server: when the wish was last passed on.
    var heardAt = Instant.zero
    /// Server: what the client said to prove that the key is its own.
    var proof: EnrolProof?
    /// Server: the preshared key that goes with what the client is to be told.
    var secret: ClientSecret?
    /// Server: what the client is to be told.
    var owed: EnrolledFrame?
}
