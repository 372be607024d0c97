import ControlProtocol
import Packet
import Settings

// A server without its bondd-control.
extension Server {
    /// A note that clients and services stay in force although bondd-control is silent; nil if it is not.
    func controlNotice(now: Instant) -> String? {
        controlPresence.notice(
            clients: handed.handover?.clients.count ?? 0, services: handedServices.count, now: now)
    }

    /// Revokes an invited client without bondd-control, which learns of it with its next handover. The answer
    /// is sent once the revocation is on the disk.
    func revoke(_ name: String, from client: ControlClientID, now: Instant) {
        if let refusal = refusal(ofRevoking: name) {
            shared.control.reply(.failed(refusal), to: client)
            return
        }
        handed.revoke(name, now: now)
        shared.log(.info, "a client was revoked without bondd-control", ["client": name])
        replacePeers()
        revocations.append(client)
    }

    private func refusal(ofRevoking name: String) -> String? {
        if settings.clients.contains(where: { $0.name == name }) {
            return
                "the client \"\(name)\" is in \(shared.configuration.file), which alone can revoke it; edit it, then: systemctl reload bondd"
        }
        guard handed.has(client: name) else {
            return
                "there is no client \"\(name)\" that bondd-control has handed over; it alone knows invitations"
        }
        return nil
    }

    /// Answers those that wait for a revocation to be on the disk.
    func attendRevocations() {
        guard !revocations.isEmpty, let (isKept, problem) = handed.revocationOutcome else { return }
        for client in revocations { shared.control.reply(isKept ? .ok : .failed(problem), to: client) }
        revocations = []
    }

    /// Stops accepting connections for services whose rule is gone from the file. bondd-control decides about
    /// open connections; while it is away they stay open.
    func retireServices(now: Instant) {
        guard handedServices.retire(for: shared.configuration, shared.stateDirectory, now: now),
            let firewall = shared.firewall
        else { return }
        do {
            try firewall.carry(services, now: now)
        } catch {
            shared.log(.error, "services whose rules are gone are still carried: \(error)")
        }
    }
}
