import Engine
import Messages
import Packet
import Scheduler

// What the daemon says of itself.
extension Daemon {
    func status(now: Instant) -> Status {
        var sessions = engine.reports(now: now).map { session(of: $0) }
        if engine.isClient && sessions.isEmpty { sessions = [connecting] }
        return Status(
            version: BondD.version, role: engine.isClient ? "client" : "server",
            mode: engine.currentMode.word,
            interface: tunnel.device.name, mtu: tunnel.mtu, uptime: (now - startedAt).seconds,
            handshakes: counters.handshakes, sessions: sessions, drops: drops,
            offloads: offloads,
            cipher: cipher.map { CipherStatus(suite: "\($0.suite)", library: "\($0.provider)") },
            notices: configuration.notices + [cipher?.warning].compactMap(\.self))
    }

    private func session(of report: SessionReport) -> SessionStatus {
        let address = engine.isClient ? tunnel.addresses.first?.address : report.address
        var status = SessionStatus(
            client: report.peer, address: address?.description ?? "", state: report.isUp ? "up" : "down",
            mode: report.mode.word, rekeyAge: report.keyAge.seconds, queuePackets: report.queued)
        status.paths = report.paths.map { path(of: $0) }
        status.reorder = ReorderStatus(
            held: report.held, late: report.reorder.late, duplicates: report.reorder.duplicates,
            deadline: report.hold.milliseconds)
        return status
    }

    private func path(of report: PathReport) -> PathStatus {
        let own = paths.first { $0.id == report.id }
        var status = PathStatus(
            name: own?.configuration.name ?? "path\(report.id)",
            interface: own?.configuration.interface ?? "",
            state: "\(report.state)", role: "\(report.role)",
            local: (own?.local ?? report.link?.local)?.description ?? "",
            remote: report.link?.remote.description ?? "")
        status.rtt = report.rtt.milliseconds
        status.jitter = report.jitter.milliseconds
        status.loss = report.loss
        status.rate = report.rate * 8 / 1e6
        status.queue = report.queueing.milliseconds
        status.mtu = own?.mtu ?? 0
        status.sentBytes = report.counters.sentBytes
        status.receivedBytes = report.counters.receivedBytes
        status.sentPackets = report.counters.sentPackets
        status.receivedPackets = report.counters.receivedPackets
        status.lost = report.counters.lost
        status.repaired = report.counters.repaired
        return status
    }

    /// A client without a session: what it tries with.
    private var connecting: SessionStatus {
        var status = SessionStatus(
            client: "server", address: "", state: "connecting", mode: engine.currentMode.word, rekeyAge: 0)
        status.paths = paths.map { path in
            PathStatus(
                name: path.configuration.name, interface: path.configuration.interface,
                state: path.link == nil ? "down" : "probing", role: "\(path.role)",
                local: path.local?.description ?? "", remote: path.endpoint?.description ?? "")
        }
        return status
    }

    private var drops: [String: UInt64] {
        let drops = engine.drops
        return [
            "malformed": drops.malformed, "unknown_session": drops.unknownSession,
            "unknown_path": drops.unknownPath, "forged": drops.forged, "replayed": drops.replayed,
            "handshake": drops.handshake, "cookies": drops.cookies, "not_ip": drops.notIP,
            "foreign_source": drops.foreignSource, "no_route": drops.noRoute, "no_session": drops.noSession,
            "queue_full": drops.queueFull, "expired": drops.expired, "no_buffer": drops.noBuffer,
            "suite_mismatch": drops.suiteMismatch,
            "unsent": counters.unsent, "receive_errors": counters.receiveErrors,
            "tunnel_errors": counters.tunnelErrors, "too_big": counters.tooBig,
            "socket_full": counters.noBuffers, "not_permitted": counters.notPermitted,
            "oversized": batch.refused,
        ]
    }
}
