import Packet

/// The way of a connection to a target.
struct Dial {
    /// The targets in the order in which they are tried.
    let targets: [Int]
    /// How many of them were begun.
    var begun = 0
    /// The addresses of the last one that was begun, and how many of them were begun.
    var addresses: [IPAddress] = []
    var tried = 0
    /// Whether an address of the last target could be asked, and whether this host was in the way of another.
    var isAsked = false
    var isHindered = false
    /// When all of it is given up.
    let end: Instant

    init(targets: [Int], end: Instant) {
        self.targets = targets
        self.end = end
    }
}
