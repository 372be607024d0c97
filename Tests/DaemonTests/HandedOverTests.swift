import ControlProtocol
import Engine
import Packet
import Proto
import Runtime
import Settings
import TestSupport
import Testing

@testable import Daemon

/// bondd validates handovers, because it does not trust bondd-control.
@Suite struct HandedOverTests {
    private let directory = TemporaryDirectory()
    private let log = Log(level: .error, fileDescriptor: -1)

    private func configuration(_ more: String = "") throws -> Configuration {
        try Configuration(
            text: """
                [tunnel]
                role = "server"
                address = ["10.77.0.1/24"]
                private_key_file = "key"
                [listen]
                addresses = ["0.0.0.0:5000"]
                \(more)
                """, file: "bondd.toml", keys: .leave)
    }

    private static func key(_ number: UInt8) -> String {
        Base64.encode([UInt8](repeating: number, count: 32))
    }

    private static func client(_ number: UInt8, name: String? = nil, addresses: [String]? = nil)
        -> HandedClient
    {
        HandedClient(
            name: name ?? "c\(number)", publicKey: key(number), addresses: addresses ?? ["10.77.0.\(number)"])
    }

    private func peers(
        _ clients: [HandedClient], beside known: [EngineConfiguration.Peer] = [],
        invitations: [HandedInvitation] = []
    ) throws -> [String] {
        var handed = HandedOver(directory: directory.path, interface: "bond0", log: log)
        var handover = Handover(revision: 1, clients: clients)
        handover.invitations = invitations
        _ = handed.replace(with: handover, now: .zero)
        defer { handed.close(now: .zero) }
        let configuration = try configuration()
        guard case .server(let server) = configuration.role else { return [] }
        return handed.peers(besides: known, configuration.tunnel, mtu: 1400, offer: server.offer).map(\.name)
    }

    @Test func nonsenseIsLeftOut() throws {
        var noKey = Self.client(3)
        noKey.publicKey = "AAAA"
        var noMode = Self.client(4)
        noMode.mode = "fast"
        #expect(
            try peers([
                Self.client(2), noKey, noMode, Self.client(5, name: ""), Self.client(6, addresses: []),
                Self.client(7, addresses: ["10.78.0.7"]), Self.client(8, addresses: ["10.77.0.8", "x"]),
                Self.client(9),
            ]) == ["c2", "c9"])
    }

    /// A name, a key and an address belong to one client; those of the file take precedence.
    @Test func theFileComesFirstAndNothingIsGivenTwice() throws {
        let own = EngineConfiguration.Peer(
            name: "own", publicKey: PublicKey(base64: Self.key(50))!, addresses: [IPAddress("10.77.0.50")!])
        #expect(
            try peers(
                [
                    Self.client(2, name: "own"), Self.client(50, addresses: ["10.77.0.3"]),
                    Self.client(4, addresses: ["10.77.0.50"]), Self.client(5, addresses: ["10.77.0.1"]),
                    Self.client(6), Self.client(7, name: "c6"), Self.client(8, addresses: ["10.77.0.6"]),
                ], beside: [own]) == ["c6"])
    }

    @Test func invitationsNeedTwoKeysAndOneThatIsTheirOwn() throws {
        func invitation(_ id: Int, _ key: String, _ preshared: String) -> HandedInvitation {
            HandedInvitation(id: id, publicKey: key, presharedKey: preshared)
        }
        #expect(
            try peers(
                [Self.client(2)],
                invitations: [
                    invitation(1, Self.key(100), Self.key(101)), invitation(2, Self.key(2), Self.key(102)),
                    invitation(3, Self.key(103), ""), invitation(4, "", Self.key(104)),
                    invitation(5, Self.key(100), Self.key(105)),
                ]) == ["c2", "invitation 1"])
    }

    /// Names are printed by root's commands.
    @Test func aNameThatATerminalWouldObeyIsLeftOut() throws {
        let names = ["\u{1B}[2J", "a\nb", "a b", String(repeating: "a", count: 64), "é"]
        let clients = names.enumerated().map { Self.client(UInt8(3 + $0), name: $1) }
        #expect(try peers(clients + [Self.client(2)]) == ["c2"])
    }

    /// The comparison of each network with all others must not keep bondd busy for seconds.
    @Test func networksBehindClientsAreBounded() throws {
        var clients: [HandedClient] = []
        for number in 0..<200 {
            var client = Self.client(
                2, name: "n\(number)", addresses: ["10.77.\(number / 200).\(number % 200 + 3)"])
            client.publicKey = Base64.encode([UInt8(number)] + [UInt8](repeating: 9, count: 31))
            client.networks = (0..<1000).map { "172.16.\(number).0/\($0 < 990 ? 24 : 32)" }
            clients.append(client)
        }
        let start = ContinuousClock.now
        #expect(try peers(clients).count == 200)
        #expect(ContinuousClock.now - start < .seconds(20))
        var list = ClientNetworkList(of: [])
        var leftOut = Omissions(log)
        let tunnel = try configuration().tunnel
        var count = 0
        for number in 0..<100 {
            let texts = (0..<16).map { "172.\(16 + number / 16).\(number % 16 * 16 + $0).0/24" }
            count += list.take(texts, of: "c\(number)", tunnel, &leftOut).count
        }
        #expect(count == ClientNetworkList.most)
        let last = list.take(["10.0.0.0/24"], of: "last", tunnel, &leftOut)
        #expect(last.isEmpty)
    }

    // MARK: - Services

    private static func service(
        _ name: String, transport: String = "tcp", ports: ClosedRange<Int> = 8443...8443,
        to target: String = "10.77.0.2", port: Int = 443, accepts: Bool = true
    ) -> HandedService {
        HandedService(
            rule: name, transport: transport, firstPort: ports.lowerBound, lastPort: ports.upperBound,
            target: target, targetPort: port, accepts: accepts)
    }

    private func refused(_ service: HandedService, after others: [HandedService] = []) throws -> String? {
        let choice = try HandedServices.list(others + [service], try configuration())
        return choice.refused.values.first
    }

    @Test func eachServiceIsCheckedAsIfAStrangerHadAsked() throws {
        #expect(try refused(Self.service("file/web")) == nil)
        #expect(try refused(Self.service(""))?.contains("no name") == true)
        #expect(try refused(Self.service(String(repeating: "a", count: 256)))?.contains("255 bytes") == true)
        #expect(try refused(Self.service("a", transport: "sctp"))?.contains("use tcp or udp") == true)
        #expect(try refused(Self.service("a", ports: 0...0))?.contains("ports 0-0") == true)
        #expect(try refused(Self.service("a", ports: 1...1025))?.contains("1 to 1024 ports") == true)
        #expect(try refused(Self.service("a", ports: 65_000...65_536)) != nil)
        #expect(
            try refused(Self.service("a", ports: 1...10, port: 65_530))?.contains("leads to port") == true)
        #expect(try refused(Self.service("a", to: "example.com")) != nil)
        #expect(try refused(Self.service("a", to: "10.77.0.1"))?.contains("not behind the tunnel") == true)
        #expect(try refused(Self.service("a", to: "8.8.8.8"))?.contains("not behind the tunnel") == true)
        #expect(
            try refused(Self.service("a", transport: "udp", ports: 4990...5010))?
                .contains("on which bondd itself listens") == true)
        #expect(try refused(Self.service("a", ports: 5000...5000)) == nil, "bondd listens by UDP")
    }

    @Test func noPortIsHadTwiceButByOneThatIsOnItsWayOut() throws {
        let first = Self.service("first")
        #expect(
            try refused(Self.service("second"), after: [first])?.contains("which another service has") == true
        )
        #expect(try refused(Self.service("second", transport: "udp"), after: [first]) == nil)
        #expect(try refused(Self.service("second", accepts: false), after: [first]) == nil)
        #expect(try refused(Self.service("first", ports: 1...1), after: [first])?.contains("twice") == true)
    }

    @Test func aClientCarriesNoServices() throws {
        let client = try Configuration(
            text: """
                [tunnel]
                role = "client"
                private_key_file = "key"
                [server]
                public_key = "\(Self.key(9))"
                endpoints = ["192.0.2.1:5000"]
                """, file: "bondd.toml", keys: .leave)
        #expect(throws: Failure.self) { try HandedServices.list([Self.service("a")], client) }
    }
}
