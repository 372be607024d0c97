import ArgumentParser
import Glibc
import Lab
import Relay
import Rules

/// `bondlab forward`: carries rules as bondd-control does, and nothing else, so that it can be measured by itself.
struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Carry rules in user space, as bondd-control does, until SIGINT or SIGTERM.",
        discussion: """
            A rule is tcp:PORT=HOST:PORT or udp:PORT=HOST:PORT, and options behind it: name=SERVERNAME, in=BYTES and \
            out=BYTES a second, quota=BYTES in all, rate=NEW connections a second, connections=N at once, flows=N of \
            UDP. \
            Example: tcp:8443=10.101.0.2:443,connections=100
            """)

    @Argument(help: "What to carry.")
    var rules: [ForwardedRule]

    func run() throws {
        let interrupt = try Interrupt()
        let relay = try Relay(reach: Reach(networks: [], own: []))
        for rule in rules {
            if let quota = rule.quota { relay.setQuota(quota, ofOwner: rule.text) }
            do throws(RuleRefusal) {
                try relay.add(rule.rule)
            } catch {
                throw ValidationError("'\(rule.text)' is not carried: \(error).")
            }
        }
        print("ready")
        fflush(nil)
        while !interrupt.comes(within: 3600) {}
        relay.stop()
    }
}
