/// The part of a path that a note in `status` is about, in the order in which notes are shown.
enum PathConcern: Int, Comparable {
    /// The hardware that the file names: missing, or ambiguous.
    case hardware
    /// The interface: missing, down, without carrier, virtual.
    case interface
    /// Its addresses and routes: none, or only the other family.
    case routing
    /// A router that two paths share.
    case router
    /// Whether it reaches the server: UDP that is blocked, an endpoint that does not answer.
    case reach
    /// The server's refusal: an unknown key, another cipher.
    case server

    static func < (one: PathConcern, other: PathConcern) -> Bool { one.rawValue < other.rawValue }
}
