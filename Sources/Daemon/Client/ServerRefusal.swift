import Packet

/// The server's last reason for refusing this client.
struct ServerRefusal {
    /// The lifetime of a refusal that is not repeated; the server refuses at most once a minute.
    private static let lifetime = Interval.seconds(150)

    private(set) var problem: String?
    private var since = Instant.zero

    /// The server has refused the client.
    /// - Returns: whether the reason is new.
    mutating func note(_ problem: String, now: Instant) -> Bool {
        defer { (self.problem, since) = (problem, now) }
        return problem != self.problem
    }

    /// The server has accepted the client.
    mutating func end() { problem = nil }

    /// Forgets a refusal that was not repeated.
    mutating func expire(now: Instant) {
        if now - since > Self.lifetime { problem = nil }
    }
}
