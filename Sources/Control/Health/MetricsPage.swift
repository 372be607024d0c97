import ControlProtocol
import Proto

/// The body of `/metrics`.
struct MetricsPage {
    /// Figures from the state, in addition to bondd's status.
    struct StateFigures: Sendable {
        var clients: [ClientStatus] = []
        var usage: [PathUsage] = []
        var openInvitations = 0
        var writeFailures = 0
        var bonddIsCurrent = false
    }

    private(set) var metrics: [Metric] = []

    /// - Parameters:
    ///   - snapshot: bondd's status.
    ///   - state: nil on a client, which has no state, and if the state cannot be read.
    ///   - services: nil on a client.
    init(
        _ snapshot: StatusSource.Snapshot, state: StateFigures?, services: ServiceFigures? = nil
    ) {
        one("up", "Whether bondd answered within a second.", snapshot.status != nil)
        one("ready", "Whether bondd can carry traffic, as /readyz says.", Health.ready(snapshot).isGood)
        if let status = snapshot.status {
            addDaemon(status)
            addSessions(status.sessions)
            addClasses(status.sessions)
            addPaths(status.sessions)
        }
        if let state { addState(state) }
        if let services { addServices(services) }
    }

    var text: String { metrics.map(\.text).joined() }

    mutating func add(_ metric: Metric) { metrics.append(metric) }

    /// A metric with a sample for each row for which `value` is not nil.
    mutating func each<Row>(
        _ rows: [Labelled<Row>], _ name: String, _ kind: Metric.Kind, _ help: String,
        _ value: (Row) -> Double?
    ) {
        var metric = Metric(name, kind, help)
        for row in rows {
            if let value = value(row.row) { metric.add(value, row.labels) }
        }
        add(metric)
    }

    /// A gauge with one sample.
    private mutating func one(_ name: String, _ help: String, _ isTrue: Bool) {
        var metric = Metric(name, .gauge, help)
        metric.add(isTrue)
        add(metric)
    }

    private mutating func one(_ name: String, _ kind: Metric.Kind, _ help: String, _ value: Double) {
        var metric = Metric(name, kind, help)
        metric.add(value)
        add(metric)
    }

    private mutating func addDaemon(_ status: Status) {
        var build = Metric("build_info", .gauge, "Always 1; the labels describe bondd.")
        build.add(
            1.0, ["version": status.version, "role": status.role, "cipher": status.cipher?.suite ?? ""])
        add(build)
        one("uptime_seconds", .gauge, "Time since bondd started.", status.uptime)
        one("threads", .gauge, "Data threads.", Double(status.threads))
        one("handshakes_total", .counter, "Handshakes completed.", Double(status.handshakes))
        one(
            "sessions", .gauge, "Sessions that are up.",
            Double(status.sessions.count { $0.state == "up" }))
        one(
            "problems", .gauge, "Problems that keep bondd from carrying some or all traffic.",
            Double(status.problems?.count ?? 0))
        var mtu = Metric("mtu_bytes", .gauge, "The tunnel's MTU.")
        mtu.add(Double(status.mtu), ["interface": status.interface])
        add(mtu)
        var mode = Metric("mode", .gauge, "1 for the mode that bondd is in, 0 for the others.")
        for word in Mode.words {
            mode.add(status.mode == word, ["mode": word])
        }
        add(mode)
        var drops = Metric("drops_total", .counter, "Packets dropped outside any session, by reason.")
        for (reason, count) in status.drops.sorted(by: { $0.key < $1.key }) {
            drops.add(count, ["reason": reason])
        }
        add(drops)
    }

    private mutating func addState(_ state: StateFigures) {
        one("clients", .gauge, "Clients that may connect.", Double(state.clients.count))
        one(
            "invitations_open", .gauge, "Invitations that can still be used to enrol.",
            Double(state.openInvitations))
        one(
            "state_write_errors_total", .counter, "Changes to the state that could not be written.",
            Double(state.writeFailures))
        one("handed_over", "Whether bondd has all clients and invitations.", state.bonddIsCurrent)
        var seen = Metric(
            "client_last_seen_timestamp_seconds", .gauge, "Unix time when the client was last heard from.")
        for client in state.clients {
            if let at = client.lastSeenAt { seen.add(Double(at), ["client": client.name]) }
        }
        add(seen)
        var used = Metric(
            "client_bytes_total", .counter,
            "Bytes of datagrams that the client's paths have carried, over all runs of bondd.")
        let names = Dictionary(
            state.clients.map { ($0.publicKey, $0.name) }, uniquingKeysWith: { first, _ in first })
        for path in state.usage {
            // Revoked clients appear only in the state.
            guard let name = names[path.publicKey] else { continue }
            used.add(path.sentBytes, ["client": name, "path": path.path, "direction": "tx"])
            used.add(path.receivedBytes, ["client": name, "path": path.path, "direction": "rx"])
        }
        add(used)
    }
}

/// Something with figures, and the labels of its samples.
struct Labelled<Row> {
    let row: Row
    let labels: KeyValuePairs<String, String>

    init(_ row: Row, _ labels: KeyValuePairs<String, String>) { (self.row, self.labels) = (row, labels) }
}
