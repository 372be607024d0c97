import ControlProtocol
import Engine
import Packet

extension PathStatus {
    /// The status of a path in a session.
    /// - Parameter own: a client's path itself; nil on a server.
    init(_ report: PathReport, of own: ClientPath?) {
        // The Engine counts a path that it never heard as probing; without a link the path is down.
        let isStranded = report.state == .probing && own != nil && own?.link == nil
        self.init(
            name: own?.configuration.name ?? (report.name.isEmpty ? "path\(report.id)" : report.name),
            interface: own?.configuration.interface ?? "",
            state: own?.dataState == .spent || report.isSpent
                ? "spent" : isStranded ? "down" : "\(report.state)",
            role: (own?.configuration.role ?? report.role).word,
            local: (own.map { $0.local(towards: report.link?.remote) } ?? report.link?.local)?.description
                ?? "",
            remote: report.link?.remote.description ?? "")
        rtt = report.rtt.milliseconds
        jitter = report.jitter.milliseconds
        loss = report.loss
        rate = report.rate * 8 / 1e6
        queue = report.queueing.milliseconds
        mtu = report.mtu
        sentBytes = report.counters.sentBytes
        receivedBytes = report.counters.receivedBytes
        sentPackets = report.counters.sentPackets
        receivedPackets = report.counters.receivedPackets
        lost = report.counters.lost
        repaired = report.counters.repaired
        if let own { note(own) }
        noteNetwork(report)
    }

    /// A client's path without a session.
    init(connecting path: ClientPath) {
        let state = path.link == nil ? "down" : "probing"
        self.init(
            name: path.configuration.name, interface: path.configuration.interface,
            state: path.dataState == .spent ? "spent" : state, role: path.configuration.role.word,
            local: path.local?.description ?? "", remote: path.endpoint?.description ?? "")
        note(path)
    }

    /// Adds the parts that only the client knows of its path.
    private mutating func note(_ path: ClientPath) {
        dataCap = path.configuration.dataCap
        dataUsed = Double(path.used) / 1e9
        note = path.note
    }
}
