import Host
import Packet
import Scheduler
import Settings

// Silent paths: another port, and a note with the reason.
extension Client {
    /// The silence after which a path gets a note.
    private static var patience: Interval { .seconds(3) }

    /// Checks one path, once a second.
    /// - Parameters:
    ///   - isWorking: whether the path is up.
    ///   - isOut: whether no path is up.
    func watchReach(of path: ClientPath, isWorking: Bool, isOut: Bool, now: Instant) {
        refusal.expire(now: now)
        guard !isWorking, !path.links.isEmpty, path.dataState != .spent else {
            path.silence.end()
            path.probe = nil
            path.concerns[.server] = nil
            path.concerns[.reach] = path.endpoints.isEmpty ? nameProblem(of: path) : nil
            return
        }
        if path.silence.isDue(now: now) {
            path.renewSockets()
            shared.log(.debug, "a silent path gets another port", ["path": path.configuration.name])
        }
        findTranslator(for: path, now: now)
        path.concerns[.server] = refusal.problem.map { _ in "the server answers and refuses this client"
        }
        path.concerns[.reach] =
            refusal.problem == nil ? reachProblem(of: path, isOut: isOut, now: now) : nil
    }

    private func nameProblem(of path: ClientPath) -> String? {
        settings.endpoints(of: path.configuration).compactMap { names.problem(of: $0) }.first
    }

    private func reachProblem(of path: ClientPath, isOut: Bool, now: Instant) -> String? {
        guard path.silence.silence(now: now) >= Self.patience, let first = path.usable.first else {
            return nil
        }
        // The kill switch refuses everything except bondd's own datagrams.
        let mayProbe = path.probe.map { now - $0.startedAt >= ReachProbe.pause } ?? true
        if mayProbe && shared.firewall?.wantsKillSwitch != true {
            path.probe = ReachProbe(first, by: path.configuration.interface, now: now)
        }
        path.probe?.look(now: now)
        let interface = path.configuration.interface
        let places = path.usable.prefix(3).map(\.description).joined(separator: ", ")
        if plane.engine.isHeardOnly(ofPath: path.id, now: now) {
            return
                "the server receives from \(interface), but its answers do not arrive; check the firewall and the reverse-path filter (sysctl net.ipv4.conf.\(interface).rp_filter=2)"
        }
        let page =
            "log in to that network if it has a login page: curl --interface \(interface) http://example.com"
        switch (path.probe?.passing, isOut) {
        case (let passing?, false):
            return
                "UDP to \(places) is blocked on \(interface) although \(passing.rawValue) passes; allow it in the network's firewall, or \(page)"
        case (let passing?, true):
            return
                "nothing answers at \(places) by UDP although \(passing.rawValue) passes; check the server's port and public key (a wrong key gets no answer), allow UDP in firewalls on the way, or \(page)"
        case (nil, false):
            return
                "nothing answers at \(places) on \(interface), although other paths get answers; check this uplink's connection and firewall"
        case (nil, true):
            return
                "nothing answers at \(places); check that the server runs, its port and public key (a wrong key gets no answer), and firewalls on the way"
        }
    }
}
