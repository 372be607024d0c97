import Packet

/// The links by which a client's path may reach the server, one for each of the server's endpoints that the path can send to.
/// The first that answers wins and stays first; until then they take turns (the idea of RFC 8305, Happy Eyeballs).
///
/// An answer counts whichever link is next by then, so a round trip longer than a turn is no obstacle.
struct LinkRace {
    /// The most links of a path; the rest is left out.
    static let mostLinks = 16

    /// Preferred first.
    private(set) var links: [Link] = []
    /// The link that answered last, kept while the path has no link at all.
    private var winner: Link?
    private var turn = 0
    /// The latest PINGs, each with its link; empty as long as there is one link alone.
    private var pings: [(token: UInt64, link: Link)] = []
    private var nextPing = 0
    /// As many PINGs as a path that is tried sends in 1.6 s.
    private static let mostPings = 16

    /// The link to use.
    var first: Link? { links.first }

    /// Whether there is anything to find out.
    var isOpen: Bool { links.count > 1 }

    /// Replaces the links; the one that answered last stays first if it is among them.
    mutating func replace(_ new: [Link]) {
        links = Array(new.prefix(Self.mostLinks))
        if let winner, new.contains(winner) { promote(winner) }
    }

    /// The server has answered by `link`.
    /// - Returns: whether that is one of the links; who sends from anywhere else changes nothing.
    mutating func answered(by link: Link) -> Bool {
        guard let known = links.first(where: { $0.socket == link.socket && $0.remote == link.remote })
        else { return false }
        winner = known
        promote(known)
        return true
    }

    /// The link for the next probe: each in turn, the one that has answered every other time.
    mutating func next() -> Link? {
        guard isOpen else { return first }
        defer { turn += 1 }
        guard winner == first else { return links[turn % links.count] }
        return turn % 2 == 0 ? first : links[1 + turn / 2 % (links.count - 1)]
    }

    /// Books the PING that leaves by `link`.
    mutating func pinged(_ token: UInt64, by link: Link) {
        guard isOpen else { return }
        if pings.count < Self.mostPings {
            pings.append((token, link))
        } else {
            pings[nextPing] = (token, link)
        }
        nextPing = (nextPing + 1) % Self.mostPings
    }

    /// Whether the PING with this token left by `link`. If its PONG comes by the same one, that link works both ways; a PONG
    /// alone proves no more than the way back, because the server answers where it heard the client last.
    func wasPinged(_ token: UInt64, by link: Link) -> Bool {
        pings.contains { $0.token == token && $0.link.socket == link.socket && $0.link.remote == link.remote }
    }

    private mutating func promote(_ link: Link) {
        links.removeAll { $0 == link }
        links.insert(link, at: 0)
        links.removeLast(max(0, links.count - Self.mostLinks))
    }
}
