import ArgumentParser
import Commands
import Host
import Runtime

/// Options for the places where `bondd init` and `bondd join` put files.
struct SiteOptions: ParsableArguments {
    @Option(help: "The configuration to write.")
    var config = "/etc/bondd/bondd.toml"

    @OptionGroup var state: StateDirectoryOption

    @Option(
        help:
            "The tunnel's interface. (default: bond0, or bondd0, bondd1 … if bond0 exists)"
    )
    var interface: String?

    @Flag(
        name: .customLong("no-start"),
        help: "Do not start the services; with init, do not invite a client either.")
    var isLeftStopped = false

    @Option(
        name: .customLong("control-user"),
        help: "The user that bondd-control runs as where systemd does not start it. (default: bondd-control)")
    var controlUser: String?

    /// The site whose programs answer on `socket`.
    func site(_ socket: String) -> Site {
        Site(
            config: config, stateDirectory: state.stateDirectory, socket: socket, controlUser: controlUser)
    }

    /// The name of an interface that does not exist yet. Many hosts have a bonded network card called bond0.
    /// - Throws: `Failure` if the requested interface exists.
    func freeInterface() throws -> String {
        let existing = try Netlink().interfaces()
        func isTaken(_ name: String) -> Bool { existing.contains { $0.name == name } }
        let usual = ["bond0"] + (0..<16).map { "bondd\($0)" }
        let free = usual.first { !isTaken($0) }
        if let interface {
            guard isTaken(interface) else { return interface }
            throw Failure(
                "the interface \(interface) exists already and is left alone; give the tunnel another name: --interface \(free ?? "NAME")"
            )
        }
        guard let free else {
            throw Failure(
                "bond0 and bondd0 to bondd15 exist already; give the tunnel a name with --interface NAME")
        }
        if free != usual[0] {
            print("note: the interface \(usual[0]) exists already and is left alone; the tunnel's is \(free)")
        }
        return free
    }
}
