import ControlProtocol
import Foundation
import Lab
import Rules
import Testing

@testable import Control

/// promtool, provided by `make test`.
private let promtool = ProcessInfo.processInfo.environment["PROMTOOL"].flatMap {
    FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
}

@Suite struct MetricsTests {
    /// A status with a value in every field.
    static var status: Status {
        var path = PathStatus(name: "fibre", interface: "eth0", state: "up", role: "primary")
        (path.rtt, path.jitter, path.loss, path.rate, path.queue, path.mtu) = (12.5, 0.5, 0.01, 80, 3, 1500)
        (path.sentBytes, path.receivedBytes, path.sentPackets, path.receivedPackets) = (1000, 2000, 10, 20)
        (path.lost, path.repaired, path.dataCap, path.dataUsed) = (1, 2, 50, 1.5)
        var other = PathStatus(name: "lte \"2\"\\\n", interface: "wwan0", state: "spent", role: "metered")
        other.dataCap = 0
        var session = SessionStatus(
            client: "boat", address: "10.77.0.2", state: "up", mode: "auto", rekeyAge: 7, queuePackets: 3,
            queue: QueueStatus(dropped: 1, marked: 2),
            repair: RepairStatus(resent: 1, unrepaired: 2, copied: 3),
            paths: [path, other, path],
            reorder: ReorderStatus(held: 1, late: 2, duplicates: 3, recovered: 4, deadline: 25),
            drops: ["source": 5, "queue_full": 6])
        session.classes = [
            ClassStatus(
                name: "calls", priority: 0, share: 20, sentPackets: 8, sentBytes: 1600, queuePackets: 2,
                dropped: 1, marked: 3)
        ]
        var status = Status(
            version: "0.1.0", role: "server", mode: "auto", interface: "bond0", mtu: 1400, uptime: 1234.5,
            threads: 2, handshakes: 3, sessions: [session], drops: ["unknown_peer": 4],
            cipher: CipherStatus(suite: "chacha20-poly1305", library: "libsodium"))
        status.problems = ["something is wrong"]
        return status
    }

    static var text: String {
        var client = ClientStatus(
            name: "boat", publicKey: Samples.key(1), addresses: ["10.77.0.2"], source: "state")
        client.lastSeenAt = Samples.now
        let state = MetricsPage.StateFigures(
            clients: [client],
            usage: [
                PathUsage(publicKey: Samples.key(1), path: "fibre", sentBytes: 1 << 53, receivedBytes: 7),
                PathUsage(publicKey: Samples.key(2), path: "fibre", sentBytes: 1, receivedBytes: 1),
            ], openInvitations: 2, writeFailures: 1, bonddIsCurrent: true)
        let snapshot = StatusSource.Snapshot(status: status, reason: "", number: 1)
        return MetricsPage(snapshot, state: state, services: services).text
    }

    /// Services with a value in every field.
    static var services: MetricsPage.ServiceFigures {
        var figures = MetricsPage.ServiceFigures()
        figures.plane = PlaneStatus(state: "unauthorized", endpoint: "192.0.2.1:7443", problem: "it is not")
        figures.services = ["web", "7", "7"].map { name in
            ServiceStatus(
                rule: name, source: name == "web" ? "file" : "portunus", transport: "tcp", ports: "443",
                targets: [ServiceTargetStatus(address: "10.77.0.2:443", isHealthy: name == "web")],
                state: "active", way: name == "web" ? "kernel" : "userspace")
        }
        var web = RuleReport(id: .named("web"))
        (web.traffic.bytesIn, web.traffic.bytesOut, web.traffic.connections) = (1000, 2000, 3)
        (web.failovers, web.failedLookups, web.droppedFlows, web.exactNames) = (4, 5, 6, 7)
        web.limit.count(.connectionRate)
        web.limit.throttledOut = 2_500_000
        var listener = NameListenerReport(port: 443)
        listener.count(after: 1500)
        (listener.misses, listener.parseFailures) = (8, 9)
        let quota = Quota(monthlyBytes: 10, remaining: -5, period: 0..<1, isExhausted: true)
        figures.report = ServiceReport(
            rules: [web, RuleReport(id: .pushed(7))], listeners: [listener],
            owners: [OwnerReport(owner: "ann", bytes: 15, quota: quota)])
        return figures
    }

    @Test func unitsAreBaseUnits() {
        let lines = Set(Self.text.split(separator: "\n").map(String.init))
        let labels = "{client=\"boat\",path=\"fibre\",interface=\"eth0\"}"
        for line in [
            "bondd_up 1", "bondd_ready 0", "bondd_uptime_seconds 1234.5",
            "bondd_path_rtt_seconds\(labels) 0.0125",
            "bondd_path_rate_bytes_per_second\(labels) 10000000",
            "bondd_path_data_used_bytes\(labels) 1500000000", "bondd_path_loss_ratio\(labels) 0.01",
            "bondd_path_state{client=\"boat\",path=\"fibre\",state=\"up\"} 1",
            "bondd_path_state{client=\"boat\",path=\"lte \\\"2\\\"\\\\\\n\",state=\"spent\"} 1",
            "bondd_path_bytes_total{client=\"boat\",path=\"fibre\",interface=\"eth0\",direction=\"rx\"} 2000",
            "bondd_reorder_deadline_seconds{client=\"boat\"} 0.025",
            "bondd_client_bytes_total{client=\"boat\",path=\"fibre\",direction=\"tx\"} 9007199254740992",
            "bondd_session_drops_total{client=\"boat\",reason=\"source\"} 5", "bondd_handed_over 1",
            "bondd_class_tx_bytes_total{client=\"boat\",class=\"calls\"} 1600",
            "bondd_class_tx_packets_total{client=\"boat\",class=\"calls\"} 8",
            "bondd_class_dropped_packets_total{client=\"boat\",class=\"calls\"} 1",
            "bondd_class_marked_packets_total{client=\"boat\",class=\"calls\"} 3",
            "bondd_class_queue_packets{client=\"boat\",class=\"calls\"} 2",
            "# TYPE bondd_handshakes_total counter", "bondd_portunus_connected 0",
            "bondd_portunus_state{state=\"unauthorized\"} 1", "bondd_portunus_state{state=\"connected\"} 0",
            "bondd_rule_bytes_total{rule=\"web\",direction=\"out\"} 2000",
            "bondd_rule_rejects_total{rule=\"web\",reason=\"connection_rate\"} 1",
            "bondd_rule_throttled_seconds_total{rule=\"web\",direction=\"out\"} 2.5",
            "bondd_rule_server_names_total{rule=\"web\",match=\"exact\"} 7",
            "bondd_rule_connections{rule=\"web\"} 3", "bondd_rule_failovers_total{rule=\"web\"} 4",
            "bondd_rule_dns_failures_total{rule=\"web\"} 5", "bondd_rule_flows{rule=\"7\"} 0",
            "bondd_server_name_misses_total{port=\"443\"} 8",
            "bondd_client_hello_seconds_total{port=\"443\"} 0.0015",
            "bondd_rule_target_healthy{rule=\"web\",target=\"10.77.0.2:443\"} 1",
            "bondd_owner_quota_remaining_bytes{owner=\"ann\"} -5", "bondd_rule_active{rule=\"7\"} 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    /// Scrapers reject a page with a duplicate series.
    @Test func noSeriesIsThereTwice() {
        let series = Self.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0[..<$0.lastIndex(of: " ")!] }
        #expect(Set(series).count == series.count)
    }

    @Test func withoutBonddThereIsStillAPage() {
        let snapshot = StatusSource.Snapshot(status: nil, reason: "gone", number: 1)
        let text = MetricsPage(snapshot, state: nil).text
        #expect(text.contains("\nbondd_up 0\n") && text.contains("\nbondd_ready 0\n"))
    }

    @Test(.enabled(if: promtool != nil, "PROMTOOL names no promtool")) func promtoolIsContent() throws {
        // It reports problems on stderr and fails.
        let said = try Child([promtool!, "check", "metrics"], input: .text(Self.text))
        let ended = try said.wait(seconds: 20)
        #expect(ended.isSuccess && said.errors.isEmpty && said.output.isEmpty, "\(said.errors)\(said.output)")
    }

    @Test(.enabled(if: promtool != nil, "PROMTOOL names no promtool")) func promtoolIsContentWithTheAlerts()
        throws
    {
        try Child.run(
            [promtool!, "check", "rules", Self.packaging + "/prometheus/bondd.rules.yml"], seconds: 20)
    }

    /// Dashboard and alerts refer to existing metrics.
    @Test(arguments: ["grafana/bondd.json", "prometheus/bondd.rules.yml"]) func whatIsNamedIsServed(
        _ file: String
    ) throws {
        let text = try String(contentsOfFile: Self.packaging + "/" + file, encoding: .utf8)
        let served = Set(
            Self.text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
                .map { String($0.split(separator: " ")[2]) })
        let named = Set(text.matches(of: /\bbondd_[a-z_]+/).map { String($0.output) })
        #expect(named.count > 10)
        #expect(named.subtracting(served).isEmpty)
        if file.hasSuffix("json") {
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
    }

    private static var packaging: String {
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/packaging"
    }
}
