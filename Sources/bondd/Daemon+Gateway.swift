import Messages
import Packet
import Settings

// What a server does while bondd-control is away, and how it tells.
extension Daemon {
    /// How long bondd-control may be silent before that is worth a word. It asks for usage every 5 s.
    private static var longestAbsence: Interval { .seconds(60) }

    /// Says that what bondd-control has handed over goes on though it has not been seen for a while; nil otherwise.
    func controlNotice(now: Instant) -> String? {
        guard case .server = configuration.role else { return nil }
        let absence = now - (controlSeenAt ?? startedAt)
        guard absence >= Self.longestAbsence else { return nil }
        let clients = handed.handover?.clients.count ?? 0
        let services = handedServices.count
        guard clients + services > 0 else { return nil }
        let since =
            controlSeenAt == nil
            ? "has not been seen since bondd started" : "has not been seen for \(Self.text(absence))"
        let clientText = "\(clients) invited client\(clients == 1 ? "" : "s")"
        let serviceText = "\(services) service\(services == 1 ? "" : "s")"
        return
            "bondd-control \(since): \(clientText) and \(serviceText) go on as it left them; start it, or take a client's right away with: bondd clients revoke NAME"
    }

    private static func text(_ interval: Interval) -> String {
        let minutes = Int(interval.seconds / 60)
        return minutes < 120
            ? "\(minutes) min" : minutes < 2880 ? "\(minutes / 60) h" : "\(minutes / 1440) days"
    }

    /// Takes an invited client's right to connect away without bondd-control, which is told when it hands over again. It is
    /// answered when that is on the disk.
    mutating func revoke(_ name: String, from client: ControlClientID, now: Instant) {
        if let refusal = refusal(ofRevoking: name) {
            control.reply(.failed(refusal), to: client)
            return
        }
        handed.revoke(name, now: now)
        log(.info, "a client was revoked without bondd-control", ["client": name])
        replacePeers()
        revocations.append(client)
    }

    private func refusal(ofRevoking name: String) -> String? {
        guard case .server(let server) = configuration.role else {
            return "this host is a client; clients are revoked on the server"
        }
        if server.clients.contains(where: { $0.name == name }) {
            return
                "the client \"\(name)\" is in \(configuration.file), which alone can revoke it; edit it, then: systemctl reload bondd"
        }
        guard handed.has(client: name) else {
            return
                "there is no client \"\(name)\" that bondd-control has handed over; it alone knows invitations"
        }
        return nil
    }

    /// Answers who waits for a revocation to be on the disk.
    mutating func attendRevocations() {
        guard !revocations.isEmpty, let (isKept, problem) = handed.revocationOutcome else { return }
        for client in revocations { control.reply(isKept ? .ok : .failed(problem), to: client) }
        revocations = []
    }

    /// Lets go of services whose rule the file does not have any more. bondd-control hands over what is to become of
    /// their connections; while it is away these go on, and nothing new begins.
    mutating func retireServices(now: Instant) {
        guard handedServices.retire(for: configuration, stateDirectory, now: now), let firewall else {
            return
        }
        do {
            try firewall.carry(handedServices.list(for: configuration), now: now)
        } catch {
            log(.error, "services whose rules are gone are still carried: \(error)")
        }
    }
}
