import ControlProtocol

/// What `/healthz` and `/readyz` answer.
struct Health: Codable, Equatable, Sendable {
    /// `ok` or `failing`.
    var status: String
    /// Why it fails, a sentence each.
    var reasons: [String]
    /// What is wrong and does not keep the tunnel from carrying traffic, a sentence each: services and their control plane. Nil
    /// when nothing is.
    var notices: [String]?

    init(reasons: [String]) {
        status = reasons.isEmpty ? "ok" : "failing"
        self.reasons = reasons
    }

    /// The same with these notices.
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

    /// Whether it can carry traffic.
    static func ready(_ snapshot: StatusSource.Snapshot) -> Health {
        guard let status = snapshot.status else { return alive(snapshot) }
        var reasons = status.problems ?? []
        let carries = status.sessions.contains { session in
            session.state == "up" && session.paths.contains { $0.state == "up" }
        }
        if status.role == "client" && !carries {
            reasons.append("there is no session with a path that is up; see bondd status")
        }
        return Health(reasons: reasons)
    }
}
