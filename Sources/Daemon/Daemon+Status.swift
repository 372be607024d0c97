import ControlProtocol
import Engine
import Glibc
import Packet
import Scheduler
import Settings

// The daemon's status and usage.
extension Daemon {
    /// - Parameter reports: those of the data threads that have answered.
    func status(_ reports: [ShardReport], now: Instant) -> Status {
        let sessions = sessions(reports.flatMap(\.sessions))
        var status = Status(
            version: Product.version, role: side.isClient ? "client" : "server",
            mode: side.mode.word,
            redundantPaths: side.redundantPaths,
            interface: shared.tunnel.name, mtu: shared.tunnel.mtu, uptime: (now - startedAt).seconds,
            threads: side.threadCount, handshakes: reports.reduce(0) { $0 + $1.handshakes },
            sessions: sessions,
            drops: reports.reduce(into: [:]) { $0.merge($1.drops, uniquingKeysWith: +) },
            offloads: offloads(reports),
            cipher: cipher.map { CipherStatus(suite: "\($0.suite)", library: "\($0.provider)") },
            notices: notices(reports, now: now))
        status.publicKey = shared.publicKey.base64
        status.run = shared.runID
        if case .server(let server) = side { status.handover = server.clients.revision }
        status.configuration = fileInForce.status(shared.configuration)
        status.firewall = shared.firewall?.status
        status.problems = (shared.firewall?.problems ?? []) + side.problems
        if case .client(let client) = side { status.names = client.nameStatus }
        return status
    }

    /// What works, but not as its owner may expect, a sentence each.
    private func notices(_ reports: [ShardReport], now: Instant) -> [String] {
        var notices = shared.configuration.notices
        notices += shared.firewall?.notices ?? []
        notices += side.notices(now: now)
        notices += [cipher?.warning, fileInForce.notice].compactMap(\.self)
        notices += silence(of: reports)
        notices +=
            HandshakeNotices(reports.map(\.troubles), publicKey: shared.publicKey.base64).sentences
        return notices
    }

    /// The bytes that each client's paths have carried since the daemon started.
    /// - Parameter reports: those of the data threads that have answered.
    func usageReport(_ reports: [ShardReport]) -> UsageReport {
        var report = UsageReport(run: shared.runID)
        report.configuration = fileInForce.digest.isEmpty ? nil : fileInForce.digest
        for (key, usage) in reports.flatMap(\.usage) {
            for (path, bytes) in usage.bytes.sorted(by: { $0.key < $1.key }) {
                report.paths.append(
                    PathUsage(
                        publicKey: key.base64, path: path, sentBytes: bytes.sent,
                        receivedBytes: bytes.received))
            }
        }
        return report
    }

    private func sessions(_ reports: [SessionReport]) -> [SessionStatus] {
        switch side {
        case .client(let client):
            reports.isEmpty ? [client.connecting] : reports.map { session(of: $0, client) }
        case .server(let server):
            server.clients.inOrder(reports, server.settings).map { session(of: $0, nil) }
        }
    }

    /// - Parameter client: this daemon as a client; nil on a server.
    private func session(of report: SessionReport, _ client: Client?) -> SessionStatus {
        let address = client == nil ? report.address : shared.tunnel.addresses.first?.address
        var status = SessionStatus(
            client: report.peer, address: address?.description ?? "", state: report.isUp ? "up" : "down",
            mode: report.mode.word, rekeyAge: report.keyAge.seconds, queuePackets: report.queued)
        status.version = report.version.isEmpty || client != nil ? nil : report.version
        status.postQuantum = report.secret == .none ? "none" : "psk"
        if case .given(let generation) = report.secret { status.secretGeneration = Int(generation) }
        status.queue = QueueStatus(dropped: report.queueDropped, marked: report.queueMarked)
        status.classes = report.classes.isEmpty ? nil : report.classes.map { ClassStatus($0) }
        status.limits = LimitStatus(report.limits, isServer: client == nil)
        status.repair = RepairStatus(
            resent: report.counters.resent, unrepaired: report.counters.unrepaired,
            copied: report.counters.copied)
        status.drops = ["queue": report.queueDropped, "unrepaired": report.counters.unrepaired]
        status.paths = report.paths.map { path in
            PathStatus(path, of: client?.path(path.id))
        }
        status.reorder = ReorderStatus(
            held: report.held, late: report.reorder.late, duplicates: report.reorder.duplicates,
            recovered: report.counters.recovered,
            deadline: report.hold.milliseconds)
        return status
    }

    /// The data threads whose report is missing, a sentence each.
    private func silence(of reports: [ShardReport]) -> [String] {
        let heard = reports.map(\.shard)
        return (0..<side.threadCount).filter { !heard.contains($0) }.map {
            "data thread \($0) has not answered for a second; its sessions and drops are missing here"
        }
    }
}
