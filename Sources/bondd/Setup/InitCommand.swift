import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Host
import Packet
import Proto
import Runtime
import Settings

/// `bondd init`
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Set this host up as a server, and print a join link for its first client.",
        discussion: """
            Makes a key and a configuration, starts bondd and bondd-control, and invites a client. Networks for the tunnel are \
            chosen so that they don't meet those of this host.
            """)

    @OptionGroup var options: GlobalOptions

    @Option(
        name: .customLong("endpoint"), parsing: .upToNextOption,
        help:
            "Where clients reach this server, HOST:PORT; may be repeated. By default its public addresses with port 5000."
    )
    var endpoints: [HostPort] = []

    @Option(help: "The name of the first client.")
    var client = "client"

    @OptionGroup var place: SiteOptions

    @Flag(name: .customLong("no-qr"), help: "Print only the link.")
    var isPlain = false

    func validate() throws {
        guard endpoints.count <= JoinLink.mostEndpoints else {
            throw ValidationError("A link has at most \(JoinLink.mostEndpoints) endpoints.")
        }
        guard Label.isGood(client.utf8) else {
            throw ValidationError(
                "\"\(client)\" can't be a client's name: it has 1 to \(Label.longest) letters a to z, digits, '-', '_' and '.'."
            )
        }
    }

    func run() throws {
        let site = place.site(options.socket)
        let earlier = try site.unfinished(
            beginning: ServerText.beginning,
            remedy: "invite clients with bondd invite NAME, or move the file away to begin again",
            willStart: !place.isLeftStopped)
        if earlier != nil, site.isRunning, ControlServiceSocket(beside: options.socket).isAlive {
            throw Failure(
                "\(place.config) exists, so this host is set up already; invite clients with bondd invite NAME, or move the file away to begin again"
            )
        }
        guard place.isLeftStopped || Program(named: "bondd-control") != nil else {
            throw Failure(
                "there is no program bondd-control on this host; install the package bondd-control, or use --no-start"
            )
        }
        // A server that has never had a client may still be written again with other settings.
        if let earlier, site.isRunning || site.hasState {
            guard case .server = earlier.role else {
                throw Failure("\(place.config) exists, so this host is a client; bondd leave undoes that")
            }
            print("this host is a server already; continuing with \(place.config) as it is")
        } else {
            try writeServer(site)
        }
        if place.isLeftStopped {
            print(
                "start it with: bondd run --config \(place.config), and bondd-control run --config \(place.config)"
            )
            print("then invite a client: bondd invite \(client)")
            return
        }
        if !site.isRunning {
            try site.service("bondd-control").prepareControl()
            print(try site.service("bondd").start())
        }
        try waitForDaemon()
        if !ControlServiceSocket(beside: options.socket).isAlive {
            print(try site.service("bondd-control").start())
        }
        InviteCommand.show(try invite(), isPlain: isPlain)
    }

    /// Creates the key and the configuration.
    private func writeServer(_ site: Site) throws {
        let surroundings = try Surroundings()
        let interface = try place.freeInterface()
        let port = endpoints.first?.port ?? ServerText.usualPort
        var places = endpoints
        if places.isEmpty {
            places = surroundings.endpoints(port: port)
            guard !places.isEmpty else {
                throw Failure(
                    "this host has no address that clients could reach; name one: bondd init --endpoint HOST:PORT"
                )
            }
            if places.allSatisfy({ $0.endpoint?.address.isPrivate ?? false }) {
                print(
                    "note: this host has only private addresses; if clients are elsewhere, forward UDP port \(port) to it, and use bondd init --endpoint HOST:PORT"
                )
            }
        }
        if !surroundings.hasIPv6 { print("note: IPv6 is switched off on this host, so the tunnel has none") }
        let resolver = NameServers(interface: interface, directory: site.stateDirectory).host()
        let offer = NameServerOffer(
            resolver, excluding: surroundings.addresses.map(\.address), hasIPv6: surroundings.reachesIPv6)
        _ = try site.privateKey(named: "server.key")
        try site.write(
            ServerText(
                interface: interface, addresses: surroundings.tunnelAddresses(), port: port,
                endpoints: places, dns: offer.servers
            ).text)
        print("this host is a server now; the configuration is \(place.config)")
        let list = places.map(\.description).joined(separator: ", ")
        print("clients reach it at \(list); UDP port \(port) must be open to them")
        if let advice = InputFirewall.advice(port: port) { print("note: \(advice)") }
        let names = offer.servers.map(\.description).joined(separator: ", ")
        if !offer.isAnswered {
            print(
                "note: no name server answers on this host; clients are offered public ones (\(names)), see [offer] dns"
            )
        } else if !offer.isOwn {
            print("clients are offered public name servers (\(names)); change them in [offer] dns")
        }
    }

    /// Time that a program may take to answer after its start, in tenths of a second.
    private static let patience = 150

    private func waitForDaemon() throws {
        for _ in 0..<Self.patience {
            if case .status? = try? ControlClient.ask(.status, path: options.socket) { return }
            usleep(100_000)
        }
        throw Failure("bondd was started but does not answer; see its log")
    }

    private func invite() throws -> String {
        let socket = ControlServiceSocket(beside: options.socket)
        for _ in 0..<Self.patience where !socket.isAlive { usleep(100_000) }
        return try socket.get(
            .invite(InvitationOrder(name: client, endpoints: endpoints.map(\.description))))
    }
}
