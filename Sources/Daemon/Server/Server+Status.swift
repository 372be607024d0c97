import Engine
import Glibc
import Packet
import Settings

// A server's problems and notices, and the order of its sessions.
extension Server {
    /// What keeps the server from carrying traffic, a sentence each.
    var problems: [String] {
        var problems = networkProblem.list
        if let facts = try? shared.netlink.interface(named: shared.tunnel.name), !facts.isUp {
            problems.append(
                "the interface \(shared.tunnel.name) is off; run: ip link set \(shared.tunnel.name) up")
        }
        return problems
    }

    /// What works, but not as its owner may expect, a sentence each.
    func notices(now: Instant) -> [String] {
        shared.tunnelNotices + shared.conflictNotices([]) + leftOutListeners
            + [controlNotice(now: now)].compactMap(\.self) + egressNotices
    }

    /// The exits of the file that this host does not have.
    private var egressNotices: [String] {
        guard let nat = settings.nat, nat.enabled else { return [] }
        return (nat.egress ?? []).filter { if_nametoindex($0) == 0 }.map {
            "[nat] egress names \($0), and this host has no such interface now; clients do not leave by it"
        }
    }

    /// The sessions as the configuration and bondd-control have its clients, whichever thread they are at.
    func inOrder(_ sessions: [SessionReport]) -> [SessionReport] {
        guard owners.count > 1 else { return sessions }
        let named = Dictionary(sessions.map { ($0.peer, $0) }, uniquingKeysWith: { first, _ in first })
        let own = settings.clients.map(\.name)
        let others = handed.handover?.clients.map(\.name).filter { !own.contains($0) } ?? []
        return (own + others).compactMap { named[$0] }
    }
}
