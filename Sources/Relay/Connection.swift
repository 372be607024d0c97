import Packet

/// A TCP connection of an end user, and the one to the target that goes with it.
struct Connection {
    enum State {
        /// Whose it is isn't known before it has said a server name.
        case peeking
        /// A target's name is looked up.
        case resolving
        /// A target is dialled.
        case dialling
        /// Bytes pass.
        case open
        /// Both sides were told that nothing more comes; it is closed in a moment.
        case ending
    }

    /// Bytes that pass from one side to the other.
    struct Passage {
        /// Where `held` bytes are; none otherwise.
        var pipe = Pipes.Pipe.none
        /// Bytes that were taken from one side and not yet given to the other.
        var held = 0
        /// Whether the side that they come from may have something to read.
        var isReadable = false
        /// Whether the side that they go to may take something.
        var isWritable = false
        /// Whether the side that they come from sends no more.
        var isAtEnd = false
        /// Whether the other side was told so.
        var isThrough = false
        /// Limits let nothing through from the one to the other; `.zero` when they do.
        var parkedFrom = Instant.zero
        var parkedUntil = Instant.zero
        /// Whether it is the owner's limit that does so, not the rule's.
        var isOwnersLimit = false
    }

    var state = State.peeking
    /// The sockets; -1 for none.
    var client: Int32
    var target: Int32 = -1
    /// The number of the port that it came by; only while it waits for a server name.
    let port: Int32
    /// The number of the rule that it belongs to, -1 while that is not known, and which of the rule's ports it came by.
    var service: Int32 = -1
    var offset: UInt16 = 0
    var targetIndex: UInt8 = 0
    /// Whether it waits in the list of those that are to be carried on with.
    var isQueued = false
    /// From the end user to the target.
    var inward = Passage()
    /// From the target to the end user.
    var outward = Passage()
    /// What is dialled, while that is so; -1 otherwise.
    var dial: Int32 = -1
    /// When it wants to be looked at, and when it will be.
    var deadline = Instant.never
    var lookedAt = Instant.never
    /// When it was accepted.
    let accepted: Instant
    /// Those that were accepted before and after it, of those that wait for a server name; -1 for none.
    var older: Int32 = -1
    var newer: Int32 = -1
    /// What was read of its ClientHello; -1 when it is not peeked at.
    var hello: Int32 = -1
    /// Whether the kernel was told to wait for more than a byte of it.
    var hasLowWater = false

    init(client: Int32, port: Int, accepted: Instant) {
        self.client = client
        self.port = Int32(port)
        self.accepted = accepted
    }
}
