import ControlProtocol
import Engine
import Glibc
import Packet
import Scheduler
import Settings

// What the daemon says of itself.
extension Daemon {
    /// - Parameter reports: of the data threads that have answered.
    func status(_ reports: [ShardReport], now: Instant) -> Status {
        var sessions = inOrder(reports.flatMap(\.sessions)).map { session(of: $0) }
        if plane.engine.isClient && sessions.isEmpty { sessions = [connecting] }
        var status = Status(
            version: Product.version, role: plane.engine.isClient ? "client" : "server",
            mode: plane.engine.currentMode.word, redundantPaths: plane.engine.currentRedundantPaths,
            interface: tunnel.name, mtu: tunnel.mtu, uptime: (now - startedAt).seconds,
            threads: owners.count, handshakes: reports.reduce(0) { $0 + $1.handshakes }, sessions: sessions,
            drops: reports.reduce(into: [:]) { $0.merge($1.drops, uniquingKeysWith: +) },
            offloads: offloads,
            cipher: cipher.map { CipherStatus(suite: "\($0.suite)", library: "\($0.provider)") },
            notices: notices(reports, now: now))
        status.publicKey = publicKey.base64
        status.run = runID
        status.handover = handed.handover?.revision
        status.configuration = fileInForce.status(configuration)
        status.firewall = firewall?.status
        status.problems = problems
        status.names = nameStatus
        return status
    }

    /// What works, but not as its owner may expect, a sentence each.
    private func notices(_ reports: [ShardReport], now: Instant) -> [String] {
        var notices = configuration.notices
        notices += firewall?.notices ?? []
        notices += routingNotices
        notices += nameNotices
        notices += [nameNotice, cipher?.warning].compactMap(\.self)
        notices += [fileInForce.notice, controlNotice(now: now)].compactMap(\.self)
        notices += silence(of: reports)
        notices += HandshakeNotices(reports.map(\.troubles), publicKey: publicKey.base64).sentences
        notices += egressNotices
        return notices
    }

    /// What keeps a server from carrying traffic, or a client's from leaving as it should.
    private var problems: [String] {
        var problems = (firewall?.problems ?? []) + [networkProblem, refusal?.problem].compactMap(\.self)
        if !plane.engine.isClient, let facts = try? netlink.interface(named: tunnel.name), !facts.isUp {
            problems.append("the interface \(tunnel.name) is off; run: ip link set \(tunnel.name) up")
        }
        if let foreignAddress { problems.append(foreignAddress) }
        return problems
    }

    /// Client: why no packet passes although there is a session: the server drops what comes from other addresses than it gave.
    private var foreignAddress: String? {
        guard let assignment else { return nil }
        let given = assignment.addresses.map(\.address)
        let foreign = configuration.tunnel.addresses.map(\.address).filter { !given.contains($0) }
        if foreign.isEmpty || given.isEmpty { return nil }
        func list(_ addresses: [IPAddress]) -> String {
            addresses.map(\.description).joined(separator: " and ")
        }
        return
            "[tunnel] address has \(list(foreign)), but the server gives this client \(list(given)) and drops packets from any other; remove address from \(file), or have the server give that one, and restart bondd"
    }

    /// Server: exits of the file that this host does not have.
    private var egressNotices: [String] {
        guard case .server(let server) = configuration.role, let nat = server.nat, nat.enabled else {
            return []
        }
        return (nat.egress ?? []).filter { if_nametoindex($0) == 0 }.map {
            "[nat] egress names \($0), and this host has no such interface now; clients do not leave by it"
        }
    }

    /// What each client's paths have carried since the daemon started.
    /// - Parameter reports: of the data threads that have answered.
    func usageReport(_ reports: [ShardReport]) -> UsageReport {
        var report = UsageReport(run: runID)
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

    private func session(of report: SessionReport) -> SessionStatus {
        let address = plane.engine.isClient ? tunnel.addresses.first?.address : report.address
        var status = SessionStatus(
            client: report.peer, address: address?.description ?? "", state: report.isUp ? "up" : "down",
            mode: report.mode.word, rekeyAge: report.keyAge.seconds, queuePackets: report.queued)
        status.version = report.version.isEmpty || plane.engine.isClient ? nil : report.version
        status.postQuantum = report.secret == .none ? "none" : "psk"
        if case .given(let generation) = report.secret { status.secretGeneration = Int(generation) }
        status.queue = QueueStatus(dropped: report.queueDropped, marked: report.queueMarked)
        status.repair = RepairStatus(
            resent: report.counters.resent, unrepaired: report.counters.unrepaired,
            copied: report.counters.copied)
        status.drops = ["queue": report.queueDropped, "unrepaired": report.counters.unrepaired]
        status.paths = report.paths.map { path(of: $0) }
        status.reorder = ReorderStatus(
            held: report.held, late: report.reorder.late, duplicates: report.reorder.duplicates,
            recovered: report.counters.recovered,
            deadline: report.hold.milliseconds)
        return status
    }

    func path(of report: PathReport) -> PathStatus {
        let own = paths.first { $0.id == report.id }
        // The Engine probes what it never heard; without a way to send that is not even so.
        let isStranded = report.state == .probing && own?.link == nil && own != nil
        var status = PathStatus(
            name: own?.configuration.name ?? (report.name.isEmpty ? "path\(report.id)" : report.name),
            interface: own?.configuration.interface ?? "",
            state: own?.dataState == .spent || report.isSpent
                ? "spent" : isStranded ? "down" : "\(report.state)",
            role: own?.configuration.role.rawValue ?? "\(report.role)",
            local: (own.map { $0.local(towards: report.link?.remote) } ?? report.link?.local)?.description
                ?? "",
            remote: report.link?.remote.description ?? "")
        status.rtt = report.rtt.milliseconds
        status.jitter = report.jitter.milliseconds
        status.loss = report.loss
        status.rate = report.rate * 8 / 1e6
        status.queue = report.queueing.milliseconds
        status.mtu = report.mtu
        status.sentBytes = report.counters.sentBytes
        status.receivedBytes = report.counters.receivedBytes
        status.sentPackets = report.counters.sentPackets
        status.receivedPackets = report.counters.receivedPackets
        status.lost = report.counters.lost
        status.repaired = report.counters.repaired
        if let own { status.note(own) }
        status.noteNetwork(report)
        return status
    }

    /// A client without a session: what it tries with.
    private var connecting: SessionStatus {
        var status = SessionStatus(
            client: "server", address: "", state: "connecting", mode: plane.engine.currentMode.word,
            rekeyAge: 0)
        status.paths = paths.map { path in
            let state = path.link == nil ? "down" : "probing"
            var status = PathStatus(
                name: path.configuration.name, interface: path.configuration.interface,
                state: path.dataState == .spent ? "spent" : state, role: path.configuration.role.rawValue,
                local: path.local?.description ?? "", remote: path.endpoint?.description ?? "")
            status.note(path)
            return status
        }
        return status
    }

    /// A server's sessions as the configuration and bondd-control have its clients, whichever thread they are at.
    private func inOrder(_ sessions: [SessionReport]) -> [SessionReport] {
        guard case .server(let server) = configuration.role, owners.count > 1 else { return sessions }
        let named = Dictionary(sessions.map { ($0.peer, $0) }, uniquingKeysWith: { first, _ in first })
        let own = server.clients.map(\.name)
        let handed = handed.handover?.clients.map(\.name).filter { !own.contains($0) } ?? []
        return (own + handed).compactMap { named[$0] }
    }

    /// Says which data threads are missing.
    private func silence(of reports: [ShardReport]) -> [String] {
        let heard = reports.map(\.shard)
        return (0..<owners.count).filter { !heard.contains($0) }.map {
            "data thread \($0) has not answered for a second; its sessions and drops are missing here"
        }
    }
}

extension PathStatus {
    /// Adds the parts that only the client knows of its path.
    fileprivate mutating func note(_ path: ClientPath) {
        dataCap = path.configuration.dataCap
        dataUsed = Double(path.used) / 1e9
        note = path.note
    }
}
