import ControlProtocol

// Metrics of paths, for the sending direction unless stated otherwise. Their counters begin at 0 with each
// session.
extension MetricsPage {
    /// The possible states of a path.
    private static let states = ["probing", "up", "suspect", "down", "spent"]

    mutating func addPaths(_ sessions: [SessionStatus]) {
        let paths = sessions.flatMap { session in session.paths.map { (session.client, $0) } }
        var state = Metric("path_state", .gauge, "1 for the state that the path is in, 0 for the others.")
        for (client, path) in paths {
            for word in Self.states {
                state.add(path.state == word, ["client": client, "path": path.name, "state": word])
            }
        }
        add(state)
        let labelled = paths.map { client, path in
            Labelled(path, ["client": client, "path": path.name, "interface": path.interface])
        }
        each(labelled, "path_up", .gauge, "Whether the path is up.") { $0.state == "up" ? 1 : 0 }
        each(labelled, "path_rtt_seconds", .gauge, "Smoothed round trip time.") { $0.rtt / 1000 }
        each(labelled, "path_jitter_seconds", .gauge, "Variation of the one-way delay.") { $0.jitter / 1000 }
        each(labelled, "path_loss_ratio", .gauge, "The recent fraction of datagrams lost.") { $0.loss }
        each(labelled, "path_rate_bytes_per_second", .gauge, "The estimated rate of the path.") {
            $0.rate * 125_000
        }
        each(labelled, "path_queue_seconds", .gauge, "The queueing delay of datagrams.") {
            $0.queue / 1000
        }
        each(labelled, "path_mtu_bytes", .gauge, "The path's MTU, outer headers included.") { Double($0.mtu) }
        each(labelled, "path_data_used_bytes", .gauge, "Data used this month (UTC), in both directions.") {
            $0.dataUsed.map { $0 * 1e9 }
        }
        each(labelled, "path_data_cap_bytes", .gauge, "Data allowance for a month; 0 without a limit.") {
            $0.dataCap.map { $0 * 1e9 }
        }
        both(paths, "path_bytes_total", "Bytes of datagrams on the path.") {
            ($0.sentBytes, $0.receivedBytes)
        }
        both(paths, "path_packets_total", "Datagrams on the path.") { ($0.sentPackets, $0.receivedPackets) }
        each(labelled, "path_lost_packets_total", .counter, "Datagrams sent and lost.") {
            Double($0.lost)
        }
        each(
            labelled, "path_repaired_packets_total", .counter,
            "Packets retransmitted on this path after another path lost them."
        ) { Double($0.repaired) }
    }

    /// A counter with a sample for each direction.
    private mutating func both(
        _ paths: [(String, PathStatus)], _ name: String, _ help: String,
        _ value: (PathStatus) -> (UInt64, UInt64)
    ) {
        var metric = Metric(name, .counter, help)
        for (client, path) in paths {
            let (sent, received) = value(path)
            for (direction, count) in [("tx", sent), ("rx", received)] {
                metric.add(
                    count,
                    [
                        "client": client, "path": path.name, "interface": path.interface,
                        "direction": direction,
                    ])
            }
        }
        add(metric)
    }
}
