import ControlProtocol
import Glibc
import Host
import Packet
import Runtime
import Settings

// The services that bondd-control hands over to a server, and their counters.
extension Server {
    /// The services of the last handover for the kernel.
    var services: [KernelService] { handedServices.list(for: shared.configuration) }

    /// Replaces the services that the kernel carries. Invalid ones are left out, and the answer has the
    /// reason for each.
    func carry(_ handed: [HandedService], for peer: Peer, now: Instant) -> Response {
        guard let firewall = shared.firewall else {
            return .failed("this kernel has no nftables, so it carries no services")
        }
        let choice: HandedServices.Choice
        do throws(Failure) {
            // Root may have any port; other users may have the ports that they hold.
            let holders = peer.isPrivileged || handed.isEmpty ? nil : try Self.portHolders()
            choice = try HandedServices.list(handed, shared.configuration) { service in
                holders?.refusal(of: service, for: peer.user)
            }
            do throws(HostError) {
                // The same services again need no new count of all connections.
                if !firewall.services.areWell(choice.services) {
                    try firewall.carry(choice.services, now: now)
                }
            } catch {
                throw Failure(error.description)
            }
        } catch {
            return .failed(error.description)
        }
        handedServices.replace(with: choice.taken, now: now)
        return choice.refused.isEmpty ? .ok : .carried(refused: choice.refused)
    }

    private static func portHolders() throws(Failure) -> PortHolders {
        do {
            return try PortHolders([.tcp, .udp])
        } catch {
            throw Failure("the owners of ports can't be determined: \(error.description)")
        }
    }

    /// When to call `attendServices` again.
    func servicesDeadline(now: Instant) -> Instant {
        min(
            handedServices.deadline(now: now), shared.firewall?.servicesDeadline(now: now) ?? .never)
    }

    /// Answers a program once the counters are known.
    func reportServices(to client: ControlClientID) { handedServices.await(client) }

    /// Saves changes, and answers those that wait for the counters once these are known.
    func attendServices(now: Instant) {
        handedServices.save(now: now)
        shared.firewall?.attendServices(now: now)
        guard handedServices.isAwaited, shared.firewall?.knowsServices(now: now) ?? true else { return }
        let response = Response.services(counters)
        for client in handedServices.takeWaiting() { shared.control.reply(response, to: client) }
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

    /// The counters of the ports that have carried anything.
    private var counters: ServiceCounters {
        var counters = ServiceCounters(run: shared.runID)
        guard let services = shared.firewall?.services else { return counters }
        for service in services.list {
            for connection in service.connections {
                let traffic = services.ledger.traffic(of: connection, service: service.name)
                let isCounted = services.ledger.counts(connection, for: service.name)
                let open = isCounted ? services.open[connection] ?? 0 : 0
                guard open > 0 || traffic != ServiceTraffic() else { continue }
                var port = ServicePortCounters(rule: service.name, port: Int(connection.port))
                (port.bytesIn, port.bytesOut) = (traffic.bytesIn, traffic.bytesOut)
                (port.packetsIn, port.packetsOut) = (traffic.packetsIn, traffic.packetsOut)
                port.connections = open
                counters.ports.append(port)
            }
        }
        return counters
    }
}

extension Configuration.NAT {
    /// The exits that this host does not have, a sentence each.
    var missingEgress: [String] {
        guard enabled else { return [] }
        return (egress ?? []).filter { if_nametoindex($0) == 0 }.map {
            "[nat] egress names \($0), and this host has no such interface now; clients do not leave by it"
        }
    }
}
