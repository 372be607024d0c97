import ArgumentParser
import Commands
import ControlProtocol
import Proto
import Runtime
import Settings

/// `bondd invite NAME`
struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "On the server: print a join link and its QR code.",
        discussion: """
            Whoever has the link can become a client of that name, as often and as long as it says; hand it on like a password. \
            bondd-control makes it, and must run.
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The name that the client will have.")
    var name: String

    @Option(
        name: .customLong("ttl"),
        help: "How long the link is valid: 1m to 365d, a number with s, m, h or d, such as 24h.")
    var lifetime = Lifetime.day

    @Option(
        help: "How many clients may join with it, 1 to 1000; several are named NAME, NAME-2 and so on.")
    var uses = 1

    @Option(
        help:
            "How packets to the client are spread unless it asks for another mode: auto, stripe, preferred, redundant or throughput."
    )
    var mode: Mode?

    @Option(
        name: .customLong("endpoint"),
        help: "Where the client reaches this server, HOST:PORT; may be repeated.")
    var endpoints: [HostPort] = []

    @Flag(name: .customLong("no-qr"), help: "Print only the link.")
    var isPlain = false

    func validate() throws {
        guard (1...1000).contains(uses) else { throw ValidationError("--uses is a number from 1 to 1000") }
        guard endpoints.count <= JoinLink.mostEndpoints else {
            throw ValidationError("A link has at most \(JoinLink.mostEndpoints) endpoints.")
        }
    }

    func run() throws {
        let order = InvitationOrder(
            name: name, lifetime: lifetime.seconds, uses: uses, mode: mode?.word,
            endpoints: endpoints.map(\.description))
        let link = try ControlServiceSocket(beside: options.socket).get(.invite(order))
        Self.show(link, isPlain: isPlain)
    }

    /// Prints a link for people: as a QR code where the terminal can show one, and as a command that reads it
    /// from standard input, so that it stays out of other users' sight and the shell's history.
    static func show(_ link: String, isPlain: Bool = false) {
        if isPlain {
            print(link)
            return
        }
        if let code = QRCode.forTerminal(link) { print(code) }
        print("On the client, as root, run \"bondd join\" and paste the link:\n\n\(link)\n")
    }
}
