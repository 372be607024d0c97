/// The part of a path that a note in `status` is about, in the order in which notes are shown.
enum PathConcern: Int, Comparable {
    /// The interface: missing, down, without carrier, virtual.
    case interface
    /// Its addresses and routes: none, the other family alone, a router that two paths share.
    case routing
    /// Whether it reaches the server: UDP that is blocked, an endpoint that does not answer.
    case reach
    /// The server's refusal: an unknown key, another cipher.
    case server

    static func < (one: PathConcern, other: PathConcern) -> Bool { one.rawValue < other.rawValue }
}
