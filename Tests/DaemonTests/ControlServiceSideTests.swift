import ControlProtocol
import Glibc
import Packet
import Runtime
import Settings
import TestSupport
import Testing

@testable import Daemon

/// bondd's side of bondd-control: the actions it permits, and those it performs without it.
@Suite struct ControlServiceSideTests {
    let directory = TemporaryDirectory()
    let log = Log(level: .error, fileDescriptor: -1)

    func text(_ address: String = "10.77.0.1/24", _ more: String = "") -> String {
        """
        [tunnel]
        role = "server"
        address = ["\(address)"]
        private_key_file = "key"
        [listen]
        addresses = ["0.0.0.0:5000"]
        \(more)
        """
    }

    static let rule = """
        [[rule]]
        name = "web"
        protocol = "tcp"
        listen_port = 8443
        target = "10.77.0.2:443"

        """

    func configuration(_ more: String = "") throws -> Configuration {
        try Configuration(text: text("10.77.0.1/24", more), file: "bondd.toml", keys: .leave)
    }

    static func service(
        _ rule: String, port: Int = 8443, to target: String = "10.77.0.2", accepts: Bool = true
    ) -> HandedService {
        HandedService(
            rule: rule, transport: "tcp", firstPort: port, lastPort: port, target: target, targetPort: 443,
            accepts: accepts)
    }

    static let web = service("file/web@tcp:8443>10.77.0.2:443")
    static let pushed = service("portunus/7@tcp:9443>10.77.0.2:443", port: 9443)

    /// Root may do everything, bondd-control's user its own actions, and other members of the group may only look.
    @Test func peersAreToldApart() {
        let user = ControlUser(named: "nobody", now: .zero)
        let number = Account(named: "nobody")!.user
        let requests: [(Request, Bool, Bool)] = [
            (.status, true, true), (.ping, true, true), (.usage, true, false), (.services, true, false),
            (.handOver(Handover(revision: 1)), true, false), (.awaitEnrolments, true, false),
            (.settle(id: 1, outcome: .stored), true, false), (.carry([]), true, false),
            (.set(key: "mode", value: "auto"), false, false), (.reload, false, false),
            (.unlock, false, false),
            (.bench(path: nil, towardsServer: nil), false, false), (.revoke(name: "a"), false, false),
        ]
        for (request, isForControl, isForAll) in requests {
            #expect(user.refusal(of: request, from: Peer(user: 0)) == nil)
            #expect(
                (user.refusal(of: request, from: Peer(user: number)) == nil) == isForControl, "\(request)")
            #expect((user.refusal(of: request, from: Peer(user: 4242)) == nil) == isForAll, "\(request)")
        }
        let missing = ControlUser(named: "no-such-user", now: .zero)
        #expect(missing.group == nil && missing.refusal(of: .usage, from: Peer(user: number)) != nil)
    }

    @Test func servicesEndWithWhatTheyWereMadeOf() throws {
        let state = directory.path
        let with = try configuration(Self.rule)
        #expect(ServiceSources(with, stateDirectory: state).have(Self.web))
        #expect(ServiceSources(with, stateDirectory: state).have(Self.service("by hand")))
        for gone in [
            "", Self.rule.replacing("8443", with: "8444"), Self.rule.replacing("\"web\"", with: "\"we\""),
            Self.rule.replacing("10.77.0.2", with: "10.77.0.3"),
            Self.rule.replacing("\"tcp\"", with: "\"udp\""),
        ] {
            #expect(!ServiceSources(try configuration(gone), stateDirectory: state).have(Self.web), "\(gone)")
        }
        // A control plane's rules: with its table, or with the bundle from enrolment.
        #expect(!ServiceSources(with, stateDirectory: state).have(Self.pushed))
        #expect(
            ServiceSources(try configuration("[portunus]\n"), stateDirectory: state).have(Self.pushed))
        mkdir(state + "/control", 0o700)
        directory.file("control/portunus.bundle.json", "{}")
        #expect(ServiceSources(with, stateDirectory: state).have(Self.pushed))
        unlink(state + "/control/portunus.bundle.json")
        rmdir(state + "/control")
    }

    @Test func whatIsKeptIsDroppedAtTheStartAndRetiredLater() throws {
        func kept() -> HandedServices {
            HandedServices(directory: directory.path, interface: "bond0", log: log)
        }
        var services = kept()
        services.replace(with: [Self.web, Self.pushed], now: .zero)
        services.close(now: .zero)
        #expect(services.list(for: try configuration(Self.rule)).map(\.accepts) == [true, true])
        // While it is running, no new connections begin; open ones continue.
        let isChanged = services.retire(for: try configuration("[portunus]\n"), directory.path, now: .zero)
        #expect(isChanged)
        #expect(services.list(for: try configuration()).map(\.accepts) == [false, true])
        let isChangedAgain = services.retire(
            for: try configuration("[portunus]\n"), directory.path, now: .zero)
        #expect(!isChangedAgain)
        services.close(now: .zero)
        var again = kept()
        again.drop(for: try configuration(Self.rule), directory.path, now: .zero)
        #expect(again.list(for: try configuration(Self.rule)).map(\.name) == [Self.web.rule])
        again.drop(for: try configuration(), directory.path, now: .zero)
        again.close(now: .zero)
        #expect(kept().list(for: try configuration(Self.rule)).isEmpty && kept().count == 0)
    }

    /// A service that cannot be carried is reported with the reason, and the others are carried.
    @Test func refusedServicesAreNamed() throws {
        let own = Self.service("file/own", port: 22)
        let twice = Self.service("file/twice", port: 8443)
        let outside = Self.service("file/out", port: 90, to: "192.0.2.1")
        let choice = try HandedServices.list([Self.web, own, twice, outside], try configuration()) {
            service in
            service.ports.contains(22) ? "no" : nil
        }
        #expect(choice.taken == [Self.web])
        #expect(choice.refused.keys.sorted() == ["file/out", "file/own", "file/twice"])
        #expect(choice.refused["file/own"] == "no")
    }

    /// An unchanged list is not written again, unless its file is missing.
    @Test func theSameIsNotWrittenTwice() {
        let path = directory.path + "/kept"
        var kept = Kept<[String]>(path, damage: "", loss: "", log: log)
        func inode() -> ino_t {
            var facts = stat()
            return stat(path, &facts) == 0 ? facts.st_ino : 0
        }
        func replace(_ content: [String]) -> Bool {
            defer { kept.close(now: .zero) }
            return kept.replace(with: content, now: .zero)
        }
        #expect(replace(["a"]))
        let first = inode()
        for _ in 0..<3 { #expect(!replace(["a"])) }
        #expect(first != 0 && inode() == first && kept.outcome?.isKept == true)
        unlink(path)
        #expect(!replace(["a"]) && inode() != 0)
        #expect(replace(["b"]))
    }

    @Test func aRevokedClientStaysOutUntilAHandoverComesWithoutIt() throws {
        func client(_ number: UInt8) -> HandedClient {
            HandedClient(
                name: "c\(number)", publicKey: Base64.encode([UInt8](repeating: number, count: 32)),
                addresses: ["10.77.0.\(number)"])
        }
        func handed() -> HandedOver { HandedOver(directory: directory.path, interface: "bond0", log: log) }
        let configuration = try configuration()
        guard case .server(let server) = configuration.role else { return }
        func names(_ handed: HandedOver) -> [String] {
            handed.peers(besides: [], configuration.tunnel, mtu: 1400, offer: server.offer).map(\.name)
        }
        func take(_ handover: Handover, _ handed: inout HandedOver) -> Bool {
            handed.replace(with: handover, now: .zero)
        }
        var one = handed()
        let all = Handover(revision: 1, clients: [client(2), client(3)])
        #expect(take(all, &one) && names(one) == ["c2", "c3"])
        #expect(one.has(client: "c2"))
        one.revoke("c2", now: .zero)
        #expect(!one.has(client: "c2") && names(one) == ["c3"])
        one.close(now: .zero)
        var other = handed()
        #expect(names(other) == ["c3"] && other.revokedKeys == [client(2).publicKey])
        // bondd-control does not know about it yet.
        #expect(!take(all, &other) && names(other) == ["c3"])
        #expect(take(Handover(revision: 2, clients: [client(3)]), &other))
        #expect(other.revokedKeys.isEmpty && names(other) == ["c3"])
        // After another invitation it may connect.
        #expect(take(all, &other) && names(other) == ["c2", "c3"])
        other.close(now: .zero)
    }

    @Test func aSilentBonddControlIsToldOf() {
        var presence = ControlPresence(startedAt: .zero)
        func notice(_ seconds: Int64, _ clients: Int = 2, _ services: Int = 1) -> String? {
            presence.notice(clients: clients, services: services, now: .zero + .seconds(seconds))
        }
        #expect(notice(59) == nil && notice(60, 0, 0) == nil)
        #expect(
            notice(60)?.hasPrefix(
                "bondd-control has not been seen since bondd started: 2 invited clients and 1 service stay")
                == true)
        presence.note(now: .zero + .seconds(100))
        #expect(notice(159) == nil)
        #expect(
            notice(220, 1, 0)?.hasPrefix(
                "bondd-control has not been seen for 2 min: 1 invited client stays")
                == true)
        #expect(notice(100 + 3 * 86400)?.contains("for 3 days:") == true)
    }

    /// The report in `status` about a file on disk that is not in force.
    @Test func aFileThatIsNotInForceIsToldOf() throws {
        let path = directory.path + "/bondd.toml"
        let key = Base64.encode([UInt8](repeating: 7, count: 32))
        directory.file("key", key + "\n")
        directory.file("bondd.toml", text())
        let configuration = try Configuration(reading: path)
        var file = FileInForce(path, of: configuration)
        #expect(file.status(configuration)?.addresses == ["10.77.0.1/24"] && file.digest.utf8.count == 32)
        file.look()
        #expect(file.notice == nil)
        directory.file("bondd.toml", text("10.77.1.1/24"))
        file.look()
        #expect(file.notice?.contains("has changed and is not in force yet") == true)
        let wrong = try ConfigurationFile(reading: path)
        file.refuse(wrong, "no")
        #expect(
            file.notice == "the file \(path) is not in force: no; the previous configuration stays in force")
        #expect(file.status(configuration)?.refusedDigest == wrong.digest)
        // Corrected: in force, whether or not it has been read.
        directory.file("bondd.toml", text())
        file.look()
        #expect(file.notice == nil)
        file.take(try ConfigurationFile(reading: path))
        #expect(file.notice == nil && file.status(configuration)?.refusal == nil)
        unlink(path)
        file.look()
        #expect(file.notice?.contains("cannot be read: No such file") == true)
    }
}
