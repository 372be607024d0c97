import Proto

/// The keys of a session that a hostile peer has set up.
final class HostileKeys {
    /// The outcome of the handshake.
    let established: Established
    /// The ID that the peer chose for it.
    let localID: UInt32

    init(_ established: consuming Established, localID: UInt32) {
        self.established = established
        self.localID = localID
    }
}

/// A handshake that a hostile peer has begun.
final class HostileHandshake {
    let initiator: Initiator
    /// The MAC1 of the init on each link, for the cookie that answers it.
    var macs: [Mac?]

    init(_ initiator: consuming Initiator, links: Int) {
        self.initiator = initiator
        macs = Array(repeating: nil, count: links)
    }
}
