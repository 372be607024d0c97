import Commands
import ControlProtocol
import Daemon
import Glibc
import Host
import Proto
import Runtime
import Settings

/// The places where `bondd init` and `bondd join` put files on this host. No existing file is overwritten.
struct Site {
    let config: String
    let stateDirectory: String
    let socket: String
    /// The user that bondd-control runs as; `nil` for the default.
    var controlUser: String?

    private var directory: String { config.lastIndex(of: "/").map { String(config[..<$0]) } ?? "." }

    /// The configuration that an earlier run of the same command wrote, to continue from; `nil` if there is
    /// none.
    /// - Parameters:
    ///   - beginning: the first line of a configuration written by the command.
    ///   - remedy: the alternative to suggest if this host is already set up.
    ///   - willStart: whether the programs are to be started.
    /// - Throws: `Failure` if this host is set up by hand or in another role, or its files can't be written.
    func unfinished(beginning: String, remedy: String, willStart: Bool) throws -> Configuration? {
        guard access(config, F_OK) == 0 else {
            try checkFree(willStart: willStart)
            return nil
        }
        let text = try? TextFile.read(config, limit: 1 << 20)
        guard willStart, text?.hasPrefix(beginning) == true else {
            throw Failure("\(config) exists, so this host is set up already; \(remedy)")
        }
        return try Configuration(reading: config)
    }

    /// Whether a bondd answers on the socket.
    var isRunning: Bool { (try? ControlClient.ask(.status, path: socket, timeout: 1000)) != nil }

    /// Whether bondd-control has stored any state yet, so that there may be clients.
    var hasState: Bool { access("\(stateDirectory)/control/state.sqlite", F_OK) == 0 }

    private func checkFree(willStart: Bool) throws {
        mkdir(directory, 0o755)
        guard access(directory, W_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            throw Failure(
                geteuid() == 0
                    ? "\(directory) can't be written (\(reason)); create it, or name another place with --config"
                    : "\(directory) can't be written (\(reason)); run this as root")
        }
        if willStart, isRunning {
            throw Failure(
                "another bondd answers on \(socket); give this one a --socket in a directory of its own")
        }
    }

    /// The private key in that file next to the configuration, created if it is missing. A key left by an
    /// interrupted run is used again: anyone who knew it then still does.
    func privateKey(named name: String) throws -> PrivateKey {
        let path = "\(directory)/\(name)"
        if access(path, F_OK) == 0 { return PrivateKey(bytes: try KeyFile(reading: path).key) }
        var entropy = Entropy(seed: Sodium.systemSeed())
        let key = PrivateKey.generate(&entropy)
        guard let bytes = Base64.decode(key.base64) else { throw SettingsError.notAKey(path: path) }
        _ = try KeyFile(creating: path, key: bytes)
        return key
    }

    /// Checks that bondd will accept a configuration.
    func check(_ text: String) throws { _ = try Configuration(text: text, file: config) }

    /// Writes the configuration after checking that bondd will accept it.
    func write(_ text: String) throws {
        try check(text)
        try StateFile.replace(config, with: Array(text.utf8), mode: 0o644)
    }

    /// A client's files on this host: its configuration and its keys; only the keys after a join that failed
    /// half-way.
    func clientFiles(_ configuration: Configuration?) -> [String] {
        var files = [config, "\(directory)/client.key"]
        if let configuration {
            files.append(
                GivenSecrets.path(directory: stateDirectory, interface: configuration.tunnel.interface))
            files.append(configuration.tunnel.privateKey.path)
            if case .client(let client) = configuration.role, let shared = client.server.presharedKey {
                files.append(shared.path)
            }
        }
        var seen: Set<String> = []
        return files.filter { access($0, F_OK) == 0 && seen.insert($0).inserted }
    }

    /// One of the two programs on this host.
    func service(_ name: String) -> Service {
        Service(
            name: name, config: config, socket: socket, stateDirectory: stateDirectory,
            controlUser: controlUser)
    }
}
