import Packet

/// A connection's attempt to reach a target.
struct Dial {
    /// The targets in the order in which they are tried.
    let targets: [Int]
    /// How many of them have been started.
    var begun = 0
    /// The addresses of the last target started, and how many of them have been started.
    var addresses: [IPAddress] = []
    var tried = 0
    /// Whether some address of the last target could be contacted, and whether this host itself prevented
    /// another attempt.
    var isAsked = false
    var isHindered = false
    /// When the whole attempt is given up.
    let end: Instant

    init(targets: [Int], end: Instant) {
        self.targets = targets
        self.end = end
    }
}
