import Packet

/// A TCP connection of an end user together with its connection to the target.
struct Connection {
    enum State {
        /// The rule is unknown until the server name arrives.
        case peeking
        /// A target's name is being resolved.
        case resolving
        /// A target is being dialled.
        case dialling
        /// Bytes flow.
        case open
        /// Both sides have received an end of stream; it closes shortly.
        case ending
    }

    /// One direction of a connection.
    struct Passage {
        /// The pipe with the `held` bytes; none if there are none.
        var pipe = Pipes.Pipe.none
        /// Bytes read from one side and not yet written to the other.
        var held = 0
        /// Whether the source may have data to read.
        var isReadable = false
        /// Whether the destination may accept data.
        var isWritable = false
        /// Whether the source has sent its end of stream.
        var isAtEnd = false
        /// Whether the end of stream has been passed on to the destination.
        var isThrough = false
        /// Since when, and until when, limits block this direction; `.zero` if they do not.
        var parkedFrom = Instant.zero
        var parkedUntil = Instant.zero
        /// Whether the owner's limit blocks it rather than the rule's.
        var isOwnersLimit = false
    }

    var state = State.peeking
    /// The sockets; -1 if absent.
    var client: Int32
    var target: Int32 = -1
    /// The number of the port it arrived on; used only while it waits for a server name.
    let port: Int32
    /// The number of its rule, -1 while unknown, and the index of the port among the rule's ports.
    var service: Int32 = -1
    var offset: UInt16 = 0
    var targetIndex: UInt8 = 0
    /// Whether it is in the queue of connections with more to transfer.
    var isQueued = false
    /// From the end user to the target.
    var inward = Passage()
    /// From the target to the end user.
    var outward = Passage()
    /// The number of the dial in progress; -1 if none.
    var dial: Int32 = -1
    /// When it needs attention, and when it will get it.
    var deadline = Instant.never
    var lookedAt = Instant.never
    /// When it was accepted.
    let accepted: Instant
    /// Its neighbors in the list of connections waiting for a server name, in order of acceptance; -1 if none.
    var older: Int32 = -1
    var newer: Int32 = -1
    /// The number of its parsed part of the ClientHello; -1 if it is not being peeked at.
    var hello: Int32 = -1
    /// Whether SO_RCVLOWAT is set to wait for more of it than one byte.
    var hasLowWater = false

    init(client: Int32, port: Int, accepted: Instant) {
        self.client = client
        self.port = Int32(port)
        self.accepted = accepted
    }
}
