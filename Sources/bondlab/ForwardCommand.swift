import ArgumentParser
import Glibc
import Lab
import Relay
import Rules

/// `bondlab forward`: carries rules like bondd-control, and does nothing else, so that it can be measured in
/// isolation.
struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Carry rules in user space, like bondd-control, until SIGINT or SIGTERM.",
        discussion: """
            A rule is tcp:PORT=HOST:PORT or udp:PORT=HOST:PORT, followed by options: name=SERVERNAME, in=BYTES and \
            out=BYTES a second, quota=BYTES in all, rate=NEW connections a second, connections=N at once, flows=N of \
            UDP. \
            Example: tcp:8443=10.101.0.2:443,connections=100
            """)

    @Argument(help: "The rules to carry.")
    var rules: [ForwardedRule]

    func run() throws {
        let interrupt = try Interrupt()
        let relay = try Relay(reach: Reach(networks: [], own: []))
        for rule in rules {
            if let quota = rule.quota { relay.setQuota(quota, ofOwner: rule.text) }
            do throws(RuleRefusal) {
                try relay.add(rule.rule)
            } catch {
                throw ValidationError("'\(rule.text)' cannot be carried: \(error).")
            }
        }
        print("ready")
        fflush(nil)
        while !interrupt.comes(within: 3600) {}
        relay.stop()
    }
}
