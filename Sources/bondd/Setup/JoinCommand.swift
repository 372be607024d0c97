import ArgumentParser
import Commands
import ControlProtocol
import Daemon
import Glibc
import Host
import Packet
import Proto
import Runtime
import Settings

/// `bondd join LINK`
struct JoinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "On a client: enrol with a join link, write the configuration and start the service.",
        discussion: """
            Leave LINK out and it is read from standard input, where it stays out of the shell's history. When something goes \
            wrong before the configuration is written, run it again with the same link: the same key enrols again without \
            another use. After that, bondd status and the log say what is missing.
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The link that bondd invite or bondd init printed on the server.")
    var link: String?

    @OptionGroup var place: SiteOptions

    @Option(
        name: .customLong("include"),
        help:
            "Glob of interfaces to use as paths; may be repeated. Virtual interfaces are used only if one matches."
    )
    var included: [String] = []

    @Flag(name: .customLong("no-measure"), help: "Do not measure the paths' rates.")
    var isNotMeasured = false

    /// Seconds that the server has to answer and to store the client.
    private static let patience = 30

    func run() throws {
        let link = try readLink()
        let site = place.site(options.socket)
        if let earlier = try site.unfinished(
            beginning: ClientText.beginning, remedy: "bondd leave undoes a join",
            willStart: !place.isLeftStopped)
        {
            try resume(earlier, link, site)
        } else {
            try begin(link, site)
        }
        if place.isLeftStopped {
            print("start it with: bondd run --config \(place.config)")
            return
        }
        if !site.isRunning { print(try site.service("bondd").start()) }
        try PathCheck(socket: options.socket, measures: !isNotMeasured).run()
    }

    /// Enrols, and writes the configuration.
    private func begin(_ link: JoinLink, _ site: Site) throws {
        let interface = try place.freeInterface()
        let key = try site.privateKey(named: "client.key")
        // Anything else that can fail must fail before the invitation is used.
        try checkGlobs(link, site, interface)
        let suite = try enrol(key, link, interface, site)
        try site.write(
            ClientText(link: link, suite: suite, interface: interface, included: included).text)
        print("joined; the configuration is \(place.config)")
    }

    private func checkGlobs(_ link: JoinLink, _ site: Site, _ interface: String) throws {
        let suite = CipherSuite.allCases.first(where: \.isAvailable) ?? .chacha20poly1305
        let text = ClientText(link: link, suite: suite, interface: interface, included: included).text
        do {
            try site.check(text)
        } catch {
            let options = included.map { "--include \($0)" }.joined(separator: " ")
            throw Failure(
                "bondd would not accept that configuration (\(options) --interface \(interface)): \(error)")
        }
    }

    /// Continues where an earlier run with a link from the same server ended.
    private func resume(_ earlier: Configuration, _ link: JoinLink, _ site: Site) throws {
        guard case .client(let client) = earlier.role,
            PublicKey(bytes: client.server.publicKey) == link.server
        else {
            throw Failure(
                "\(place.config) exists, so this host is a client of another server; bondd leave undoes that")
        }
        // The file was written after the server had stored this host's key.
        print("this host has joined already; the configuration is \(place.config)")
        guard !included.isEmpty, included != client.discovery.include else { return }
        func text(_ globs: [String]) -> String {
            ClientText(
                link: link, suite: earlier.tunnel.cipher, interface: earlier.tunnel.interface, included: globs
            ).text
        }
        guard (try? TextFile.read(place.config, limit: 1 << 20)) == text(client.discovery.include) else {
            throw Failure(
                "\(place.config) was edited; set include in its [discovery] to change which interfaces become paths"
            )
        }
        try site.write(text(included))
        if case .failed(let sentence)? = try? ControlClient.ask(.reload, path: options.socket) {
            throw Failure(sentence)
        }
    }

    private func readLink() throws -> JoinLink {
        guard let text = link ?? readLine() else {
            throw Failure("there is no join link on standard input; pass the one that bondd invite printed")
        }
        do throws(JoinLink.Failure) {
            return try JoinLink(text)
        } catch {
            throw Failure(error.description)
        }
    }

    /// - Returns: the server's cipher suite.
    private func enrol(
        _ key: borrowing PrivateKey, _ link: JoinLink, _ interface: String, _ site: Site
    ) throws -> CipherSuite {
        var search = try ServerSearch(link.endpoints, interface: interface, state: site.stateDirectory)
        let places = link.endpoints.map(\.description).joined(separator: ", ")
        print("asking the server at \(places) …")
        var result = Enroller.Result.anotherSuite
        for suite in CipherSuite.allCases where suite.isAvailable && result == .anotherSuite {
            var enroller = Enroller(link, key: key, host: Self.hostName, suite: suite)
            result = try enroller.enrol(&search, seconds: Self.patience)
            guard result == .outcome(.stored) else { continue }
            if let secret = enroller.secret {
                try GivenSecrets.write(
                    secret, server: link.server, client: key.publicKey, directory: site.stateDirectory,
                    interface: interface)
            }
            return suite
        }
        switch result {
        case .outcome(let outcome): throw Failure(Self.sentence(outcome))
        case .silence:
            let hint = search.hint.map { " (\($0))" } ?? ""
            throw Failure(
                "no server with this link's key answers at \(places)\(hint); check that it runs, that its UDP port is open, and that the link belongs to it"
            )
        case .unknown:
            let isOver = link.expiry < UInt64(max(time(nil), 0))
            throw Failure(
                isOver
                    ? "the invitation has expired; ask for another (bondd invite NAME on the server)"
                    : "the server at \(places) does not know this invitation; ask for another (bondd invite NAME on the server)"
            )
        case .anotherVersion:
            throw Failure(
                "the server speaks another version of the protocol; update both ends to the same version")
        case .anotherSuite:
            throw Failure(
                "the server uses a cipher that this host does not support; set chacha20-poly1305 there")
        case .unavailable: throw Failure(Self.sentence(.unavailable))
        }
    }

    private static func sentence(_ outcome: EnrolOutcome) -> String {
        let remedy = "ask for another (bondd invite NAME on the server)"
        return switch outcome {
        case .stored: ""
        case .used: "the invitation has no uses left; \(remedy)"
        case .expired: "the invitation has expired; \(remedy)"
        case .revoked: "the invitation was revoked; \(remedy)"
        case .full: "the server's tunnel has no free address; widen [tunnel] address there"
        case .unavailable:
            "the server can't enrol clients now, because its bondd-control does not run or can't store them; have that fixed and run this again, the link is still valid"
        }
    }

    /// The host's name, cut to fit into a frame.
    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(String(decoding: bytes, as: UTF8.self).prefix(Label.longest))
    }
}
