import Commands
import Control
import Glibc
import Messages
import Proto
import Settings

/// Where `bondd init` and `bondd join` put things on this host. Nothing that is there is overwritten.
struct Site {
    let config: String
    let stateDirectory: String
    let socket: String
    /// The user that bondd-control is to run as; nil: the usual one.
    var controlUser: String?

    private var directory: String { config.lastIndex(of: "/").map { String(config[..<$0]) } ?? "." }

    /// - Parameter willStart: whether the programs are to be started, where none may run yet.
    /// - Throws: `Failure` when this host is set up already, or when nothing can be written.
    func checkFree(willStart: Bool) throws {
        if access(config, F_OK) == 0 {
            throw Failure("\(config) exists, this host is set up already; move it away to begin anew")
        }
        mkdir(directory, 0o755)
        guard access(directory, W_OK) == 0 else {
            throw Failure(
                "\(directory) can't be written (\(String(cString: strerror(errno)))); run this as root")
        }
        if willStart, (try? ControlClient.ask(.status, path: socket, timeout: 1000)) != nil {
            throw Failure(
                "a bondd answers on \(socket) already; give this one a --socket in a directory of its own")
        }
    }

    /// The private key in that file beside the configuration, made when it is not there: a run that broke off left it, and
    /// whoever knows it knows it still.
    func privateKey(named name: String) throws -> PrivateKey {
        let path = "\(directory)/\(name)"
        if access(path, F_OK) == 0 { return PrivateKey(bytes: try KeyFile(reading: path).key) }
        var entropy = Entropy(seed: Sodium.systemSeed())
        let key = PrivateKey.generate(&entropy)
        guard let bytes = Base64.decode(key.base64) else { throw SettingsError.notAKey(path: path) }
        _ = try KeyFile(creating: path, key: bytes)
        return key
    }

    /// Writes the configuration, after a look that bondd will take it.
    func write(_ text: String) throws {
        _ = try Configuration(text: text, file: config)
        try StateFile.replace(config, with: Array(text.utf8), mode: 0o644)
    }

    /// One of the two programs on this host.
    func service(_ name: String) -> Service {
        Service(
            name: name, config: config, socket: socket, stateDirectory: stateDirectory,
            controlUser: controlUser)
    }
}
