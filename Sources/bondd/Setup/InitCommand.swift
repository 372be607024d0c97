import ArgumentParser
import Commands
import Control
import Glibc
import Messages
import Packet
import Proto
import Settings

/// `bondd init`
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make this host a server, and print a join link for its first client.",
        discussion: """
            Makes a key and a configuration, starts bondd and bondd-control, and invites a client. Networks for the tunnel are \
            chosen so that they don't meet those of this host.
            """)

    @OptionGroup var options: GlobalOptions

    @Option(
        name: .customLong("endpoint"), parsing: .upToNextOption,
        help:
            "Where clients reach this server, HOST:PORT; more than once if need be. Left out: its public addresses, port 5000."
    )
    var endpoints: [HostPort] = []

    @Option(help: "The name of the first client.")
    var client = "client"

    @OptionGroup var place: SiteOptions

    @Flag(name: .customLong("no-qr"), help: "Print the link alone.")
    var isPlain = false

    func validate() throws {
        guard endpoints.count <= JoinLink.mostEndpoints else {
            throw ValidationError("A link has at most \(JoinLink.mostEndpoints) endpoints.")
        }
    }

    func run() throws {
        let site = place.site(options.socket)
        try site.checkFree(willStart: !place.isLeftStopped)
        guard place.isLeftStopped || Program(named: "bondd-control") != nil else {
            throw Failure(
                "there is no program bondd-control here; install the package bondd-control, or use --no-start"
            )
        }
        let surroundings = try Surroundings()
        let port = endpoints.first?.port ?? ServerText.usualPort
        var places = endpoints
        if places.isEmpty {
            places = surroundings.endpoints(port: port)
            guard !places.isEmpty else {
                throw Failure(
                    "this host has no address that clients could reach; say where they do: bondd init --endpoint HOST:PORT"
                )
            }
            if places.allSatisfy({ $0.endpoint?.address.isPrivate ?? false }) {
                print(
                    "note: this host has private addresses only; if clients are elsewhere, forward UDP port \(port) to it, and use bondd init --endpoint HOST:PORT"
                )
            }
        }
        _ = try site.privateKey(named: "server.key")
        try site.write(
            ServerText(
                interface: place.interface, addresses: surroundings.tunnelAddresses(), port: port,
                endpoints: places
            ).text)
        print("this host is a server now; the configuration is \(place.config)")
        let list = places.map(\.description).joined(separator: ", ")
        print("clients reach it at \(list); UDP port \(port) must be open to them")
        if place.isLeftStopped {
            print(
                "start it with: bondd run --config \(place.config), and bondd-control run --config \(place.config)"
            )
            print("then invite a client: bondd invite \(client)")
            return
        }
        try site.service("bondd-control").prepareControl()
        print(try site.service("bondd").start())
        try waitForDaemon()
        print(try site.service("bondd-control").start())
        Invite.show(try invite(), isPlain: isPlain)
    }

    /// How long a program may take to answer after it was started, in tenths of a second.
    private static let patience = 150

    private func waitForDaemon() throws {
        for _ in 0..<Self.patience {
            if case .status? = try? ControlClient.ask(.status, path: options.socket) { return }
            usleep(100_000)
        }
        throw Failure("bondd was started and does not answer; look at its log")
    }

    private func invite() throws -> String {
        let socket = GatewaySocket(beside: options.socket)
        for _ in 0..<Self.patience where !socket.isAlive { usleep(100_000) }
        guard case .link(let link) = try socket.ask(.invite(InvitationOrder(name: client))) else {
            throw Failure("bondd-control gave no link; is it another version?")
        }
        return link
    }
}
