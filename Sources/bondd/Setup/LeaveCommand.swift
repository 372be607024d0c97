import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Host
import Proto
import Runtime
import Settings

/// `bondd leave`
struct LeaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "On a client: undo bondd join.",
        discussion: """
            Stops bondd, which tells the server, and no longer starts it at boot; restores routes, rules and name servers; lifts the \
            kill switch; and renames the configuration and the key to FILE.left. Works without a running bondd, without \
            systemd, and after a join that failed half-way. To join again, use a new link.
            """)

    @OptionGroup var options: GlobalOptions

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let site = Site(config: place.config, stateDirectory: place.stateDirectory, socket: options.socket)
        let earlier = try? Configuration(reading: place.config)
        if case .server? = earlier?.role {
            throw Failure("\(place.config) is a server's; bondd leave is for clients")
        }
        let files = site.clientFiles(earlier)
        guard !files.isEmpty else {
            throw Failure(
                "this host has not joined: there is neither \(place.config) nor a client.key next to it")
        }
        guard geteuid() == 0 else {
            throw Failure("leaving changes routes, firewall and files; run this as root")
        }
        // Read first: once the key is deleted, the client to be revoked can no longer be named.
        let key = earlier.map { PrivateKey(bytes: $0.tunnel.privateKey.key).publicKey.base64 }
        let interface = earlier?.tunnel.interface
        if let sentence = try site.service("bondd").stop(interface: interface) { print(sentence) }
        var problems: [String] = []
        func attempt(_ work: () throws -> Void) {
            do { try work() } catch { problems.append("\(error)") }
        }
        attempt {
            try CleanupCommand.parse([
                "--config", place.config, "--state-dir", place.stateDirectory, "--socket", options.socket,
                "--log-level",
                "error",
            ]).run()
        }
        // Only this tunnel's table: another instance on this host keeps its own.
        let table = FirewallTable.killSwitchName(interface: interface ?? "bond0")
        attempt {
            if try FirewallSocket().remove(table: table) { print("the kill switch is lifted") }
        }
        for file in files { attempt { print("\(file) is now \(try Self.putAside(file))") } }
        guard problems.isEmpty else { throw Failure(problems.joined(separator: "; ")) }
        let name = key.map { "its key is \($0)" } ?? "see bondd clients"
        print(
            "this host has left, but the server still accepts its key (\(name)); to revoke it, run there: bondd clients revoke NAME"
        )
    }

    /// Renames a file to a name that bondd does not look for and that is not taken.
    private static func putAside(_ file: String) throws -> String {
        for number in 0..<100 {
            let name = number == 0 ? "\(file).left" : "\(file).left.\(number)"
            guard access(name, F_OK) != 0 else { continue }
            guard rename(file, name) == 0 else {
                throw Failure("could not rename \(file) to \(name): \(String(cString: strerror(errno)))")
            }
            return name
        }
        throw Failure(
            "\(file) can't be renamed, because \(file).left to \(file).left.99 exist; remove some of them")
    }
}
