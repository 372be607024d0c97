import Packet

/// The links by which a client's path may reach the server, one for each of the server's endpoints that the
/// path can send to. The first that answers wins and stays first; until then they take turns (the idea of RFC
/// 8305, Happy Eyeballs).
///
/// An answer counts whichever link is next by then, so a round trip longer than a turn does not matter.
struct LinkRace {
    /// Maximum number of links per path; the rest are left out.
    static let mostLinks = 16

    /// The links, preferred first.
    private(set) var links: [Link] = []
    /// The last link that answered, kept while the path has no link at all.
    private var winner: Link?
    private var turn = 0
    /// The latest PINGs, each with its link; empty while there is only one link.
    private var pings: [(token: UInt64, link: Link)] = []
    private var nextPing = 0
    /// Number of PINGs that a path being tried sends in 1.6 s.
    private static let mostPings = 16

    /// The link to use.
    var first: Link? { links.first }

    /// Whether there are several links to choose from.
    var isOpen: Bool { links.count > 1 }

    /// Replaces the links; the last one that answered stays first if it is among them.
    mutating func replace(_ new: [Link]) {
        links = Array(new.prefix(Self.mostLinks))
        if let winner, new.contains(winner) { promote(winner) }
    }

    /// The server has answered by `link`.
    /// - Returns: whether that is one of the links; an answer from anywhere else changes nothing.
    mutating func answered(by link: Link) -> Bool {
        guard let known = links.first(where: { $0.socket == link.socket && $0.remote == link.remote })
        else { return false }
        winner = known
        promote(known)
        return true
    }

    /// The link for the next probe: each in turn, with the one that has answered every other time.
    mutating func next() -> Link? {
        guard isOpen else { return first }
        defer { turn += 1 }
        guard winner == first else { return links[turn % links.count] }
        return turn % 2 == 0 ? first : links[1 + turn / 2 % (links.count - 1)]
    }

    /// Records the PING that leaves by `link`.
    mutating func pinged(_ token: UInt64, by link: Link) {
        guard isOpen else { return }
        if pings.count < Self.mostPings {
            pings.append((token, link))
        } else {
            pings[nextPing] = (token, link)
        }
        nextPing = (nextPing + 1) % Self.mostPings
    }

    /// Whether the PING with this token left by `link`. If its PONG arrives by the same link, that link works
    /// both ways. A PONG alone proves only the way back, because the server answers where it last heard the
    /// client.
    func wasPinged(_ token: UInt64, by link: Link) -> Bool {
        pings.contains { $0.token == token && $0.link.socket == link.socket && $0.link.remote == link.remote }
    }

    private mutating func promote(_ link: Link) {
        links.removeAll { $0 == link }
        links.insert(link, at: 0)
        links.removeLast(max(0, links.count - Self.mostLinks))
    }
}
