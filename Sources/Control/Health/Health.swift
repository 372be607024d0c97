import ControlProtocol

/// The body of `/healthz` and `/readyz`.
struct Health: Codable, Equatable, Sendable {
    /// `ok` or `failing`.
    var status: String
    /// Why it fails, one sentence each.
    var reasons: [String]
    /// Problems that do not keep the tunnel from carrying traffic, one sentence each: services and their
    /// control plane. Nil if there are none.
    var notices: [String]?

    init(reasons: [String]) {
        status = reasons.isEmpty ? "ok" : "failing"
        self.reasons = reasons
    }

    /// A copy with these notices.
    func noting(_ notices: [String]) -> Health {
        var health = self
        health.notices = notices.isEmpty ? nil : notices
        return health
    }

    var isGood: Bool { reasons.isEmpty }

    /// Whether bondd answers.
    static func alive(_ snapshot: StatusSource.Snapshot) -> Health {
        Health(reasons: snapshot.isAlive ? [] : [snapshot.reason])
    }

    /// Whether bondd can carry traffic.
    static func ready(_ snapshot: StatusSource.Snapshot) -> Health {
        guard let status = snapshot.status else { return alive(snapshot) }
        var reasons = status.problems ?? []
        let carries = status.sessions.contains { session in
            session.state == "up" && session.paths.contains { $0.state == "up" }
        }
        if status.role == "client" && !carries {
            reasons.append("no session has a path that is up; see bondd status")
        }
        return Health(reasons: reasons)
    }
}
