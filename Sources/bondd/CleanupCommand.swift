import ArgumentParser
import Control
import Messages
import Settings

/// `bondd cleanup`
struct Cleanup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract:
            "Undo what a bondd that was killed left behind: routes, rules, name servers, NAT, forwarding.",
        discussion: "The kill switch stays, as it is to hold without bondd; see bondd unlock.")

    @OptionGroup var options: GlobalOptions

    @Option(help: "The configuration.")
    var config = "/etc/bondd/bondd.toml"

    @Option(name: .customLong("state-dir"), help: "Where bondd keeps what outlives it.")
    var stateDirectory = "/var/lib/bondd"

    func run() throws {
        let log = options.log
        let interface = interfaceName(log)
        for socket in [options.socket, "/run/bondd/\(interface).sock"] {
            guard case .status(let status)? = try? ControlClient.ask(.status, path: socket, timeout: 1000)
            else { continue }
            if status.interface == interface {
                throw Failure(
                    "bondd runs with the interface \(interface); stop it, and it cleans up by itself")
            }
        }
        let netlink = try Netlink()
        let index = try netlink.interface(named: interface).flatMap { $0.kind == "tun" ? $0.index : nil }
        let count = try HostRouting.clean(netlink, tunnel: index)
        try NameServers.clean(directory: stateDirectory, besides: interface)
        _ = try FirewallSocket().remove(table: FirewallTable.natName(interface: interface))
        var forwarding = Forwarding(directory: stateDirectory, interface: interface)
        for problem in forwarding.restore() { log(.warning, problem) }
        log(.info, "cleaned up", ["routes_and_rules": "\(count)"])
    }

    /// The interface that the file names. One that can't be read is no reason to leave things behind.
    private func interfaceName(_ log: Log) -> String {
        do throws(ConfigurationError) {
            return try Configuration(reading: config).tunnel.interface
        } catch {
            log(.warning, error.description)
            return "bond0"
        }
    }
}
