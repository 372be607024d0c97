import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Host
import Runtime
import Settings

/// `bondd cleanup`
struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract:
            "Remove what a killed bondd left behind: routes, rules, name servers, NAT, services, forwarding.",
        discussion: "The kill switch stays, because it must hold without bondd; see bondd unlock.")

    @OptionGroup var options: GlobalOptions

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let log = options.log
        let own = ownInterfaces(log)
        let interface = own[0]
        for socket in [options.socket, "/run/bondd/\(interface).sock"] {
            try checkGone(socket, interface)
        }
        var problems: [String] = []
        // A failed step must not keep the others from running.
        func attempt(_ work: () throws -> Void) {
            do { try work() } catch { problems.append("\(error)") }
        }
        let netlink = try Netlink()
        attempt {
            let index = try netlink.interface(named: interface).flatMap { $0.kind == "tun" ? $0.index : nil }
            let count = try HostRouting.clean(netlink, tunnel: index)
            log(.info, "routes and rules are cleaned up", ["count": "\(count)"])
        }
        attempt { try NameServers.clean(directory: place.stateDirectory, besides: interface) }
        attempt {
            let names = try FirewallSocket().clean(interface)
            if !names.isEmpty {
                log(.info, "firewall tables are removed", ["tables": names.joined(separator: " ")])
            }
        }
        for tunnel in Forwarding.tunnels(in: place.stateDirectory)
        where tunnel == interface || if_nametoindex(tunnel) == 0 {
            var forwarding = Forwarding(directory: place.stateDirectory, interface: tunnel)
            let others = forwarding.hasChanged ? netlink.forwardingNeeds(besides: Set(own)) : []
            if let first = others.first { log(.info, "forwarding stays on, because \(first) may need it") }
            problems += forwarding.restore(isShared: !others.isEmpty)
        }
        var relief = ReversePathRelief(directory: place.stateDirectory, interface: interface)
        problems += relief.restore()
        guard problems.isEmpty else { throw Failure(problems.joined(separator: "; ")) }
    }

    /// - Throws: `Failure` if a bondd with that interface is running, or may be.
    private func checkGone(_ socket: String, _ interface: String) throws {
        let answer: Response
        do throws(SocketError) {
            answer = try ControlClient.ask(.status, path: socket, timeout: 5000)
        } catch .notRunning, .impostor {
            return
        } catch {
            throw Failure("can't tell whether bondd runs, so nothing is cleaned up: \(error)")
        }
        if case .status(let status) = answer, status.interface == interface {
            throw Failure("bondd runs with the interface \(interface); stop it, which cleans up as well")
        }
    }

    /// The interface named in the file, then those of its `[lan]`. An unreadable file must not stop the
    /// cleanup.
    private func ownInterfaces(_ log: Log) -> [String] {
        do throws(ConfigurationError) {
            let configuration = try Configuration(reading: place.config)
            guard case .client(let client) = configuration.role else {
                return [configuration.tunnel.interface]
            }
            return [configuration.tunnel.interface] + client.lan
        } catch {
            log(.warning, error.description)
            return ["bond0"]
        }
    }
}
