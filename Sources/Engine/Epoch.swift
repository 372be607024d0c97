import Packet
import Proto

/// One set of keys of a session. Sequences, paths and packet numbers continue when keys change, so a nonce
/// cannot occur twice under one key: a pair of path ID and packet number never repeats within a session.
struct Epoch: ~Copyable {
    let keys: TransportKeys
    /// The session ID that we chose: datagrams to us carry it.
    let localID: UInt32
    /// The session ID that the peer chose: datagrams to the peer carry it.
    let remoteID: UInt32
    let established: Instant
    /// When it was replaced; `.never` while it is current.
    var retired = Instant.never
    /// The preshared key from which the keys were derived.
    var secret = SharedSecret.none
    /// Server: the time stamp of the init that asked for these keys.
    var timestamp: Timestamp?

    /// Whether anything authentic has arrived under these keys.
    var isHeard = false

    init(keys: consuming TransportKeys, localID: UInt32, remoteID: UInt32, established: Instant) {
        self.keys = keys
        self.localID = localID
        self.remoteID = remoteID
        self.established = established
    }
}
