import ControlProtocol
import Settings

// Requests from the command line.
extension ControlService {
    /// Carries out a request, and responds once bondd has the change as well, or does not answer.
    package func answer(_ request: ControlServiceRequest) -> ControlServiceResponse {
        do throws(ControlError) {
            switch request {
            case .invite(let order):
                let link = try invite(order)
                log(.info, "invitation created", ["client": order.name])
                handOver()
                return .link(link.text)
            case .clients: return try clients()
            case .revoke(let name):
                let unused = try store.revoke(name, plan: currentPlan, now: currentTime())
                log(.info, "client revoked", ["client": name])
                if !handOver(), status() != nil {
                    return .failed(
                        "\(name) is revoked in the state, but bondd could not be told or could not store it; this is retried every few seconds, see bondd-control's log"
                    )
                }
                if unused > 0 {
                    return .noted(
                        "the link that \(name) joined with is closed as well; \(unused) more clients could have used it and need another"
                    )
                }
            case .rename(let name, let other):
                try store.rename(name, to: other, plan: currentPlan, now: currentTime())
                log(.info, "client renamed", ["client": name, "to": other])
                handOver()
            case .setNetworks(let name, let networks):
                try store.setNetworks(networks, of: name, plan: currentPlan)
                log(
                    .info, "networks of a client changed",
                    ["client": name, "networks": networks.joined(separator: " ")])
                handOver()
            case .rotateSecrets(let isForced):
                try store.rotateSecrets(isForced: isForced, now: currentTime())
                log(.info, "client secrets rotated")
                if !handOver() {
                    return .noted(
                        "the new secret is in the state; bondd gets it as soon as it answers, see bondd-control's log"
                    )
                }
            case .backup(let path): try store.backup(to: path)
            case .services:
                guard let services else { return .failed(Self.noServices) }
                let (statuses, plane) = services.status()
                return .services(statuses, plane)
            case .enrolService(let uri):
                guard let link else { return .failed(Self.noServices) }
                if let problem = link.enrol(uri) { return .failed(problem) }
            case .setEndpoints(let endpoints): try store.setEndpoints(endpoints)
            }
            return .ok
        } catch {
            if case .refused = error {} else { log(.error, error.description) }
            return .failed(error.description)
        }
    }

    private static let noServices = "this bondd-control cannot carry services; its log says why"

    private func invite(_ order: InvitationOrder) throws(ControlError) -> JoinLink {
        if let key = status()?.publicKey { try store.setServerKey(key) }
        return try store.invite(order, plan: currentPlan, server: nil)
    }

    private func clients() throws(ControlError) -> ControlServiceResponse {
        let up = status().map { status in Set(status.sessions.filter { $0.state == "up" }.map(\.client)) }
        let clients = try store.clients(plan: currentPlan).map { client in
            var client = client
            client.isUp = up.map { $0.contains(client.name) }
            return client
        }
        return .clients(clients, try store.openInvitations(now: currentTime()))
    }

    private func status() -> Status? {
        guard let status = try? ControlClient.get(.status, path: socket, timeout: 1000) else {
            return nil
        }
        return status
    }
}
