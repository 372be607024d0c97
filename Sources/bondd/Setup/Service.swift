import Commands
import ControlProtocol
import Glibc
import Runtime
import Settings

/// Keeps bondd and bondd-control running on this host: with systemd where that is the init system, otherwise
/// as background processes that someone has to start again after a boot.
struct Service {
    /// Name of the program: `bondd` or `bondd-control`.
    let name: String
    let config: String
    let socket: String
    let stateDirectory: String
    /// The user that bondd-control runs as; `nil` for the default.
    var controlUser: String?

    private static var systemd: Program? {
        // The test of sd_booted(3).
        access("/run/systemd/system", F_OK) == 0 ? Program(named: "systemctl") : nil
    }

    /// Whether a unit runs the program with these settings: the packages install them, for the default paths.
    private var isUnit: Bool {
        config == "/etc/bondd/bondd.toml" && socket == "/run/bondd/bondd.sock"
            && stateDirectory == "/var/lib/bondd"
            && ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"].contains {
                access("\($0)/\(name).service", F_OK) == 0
            }
    }

    /// Starts the program now, and with systemd also after each boot.
    /// - Returns: a sentence for the user about the steps taken.
    func start() throws -> String {
        if let systemd = Self.systemd, isUnit {
            guard systemd.run(["--quiet", "enable", "--now", "\(name).service"]) == 0 else {
                throw Failure("systemd could not start \(name); see: journalctl -u \(name)")
            }
            return "\(name) runs, and starts at boot (systemd: \(name).service)"
        }
        guard
            let program = name == "bondd" ? Program.own.flatMap({ Program(path: $0) }) : Program(named: name)
        else {
            throw Failure("there is no program \(name) on this host; install the package \(name)")
        }
        let log = "\(stateDirectory)/\(name).log"
        mkdir(stateDirectory, 0o755)
        let state = name == "bondd" ? stateDirectory : "\(stateDirectory)/control"
        var arguments = ["run", "--config", config, "--socket", socket, "--state-dir", state]
        // bondd-control, started as root, switches to that user by itself.
        if let controlUser { arguments += [name == "bondd" ? "--control-user" : "--user", controlUser] }
        guard let process = program.start(arguments, log: log) else {
            throw Failure("could not start \(program.path); start it by hand: \(name) run --config \(config)")
        }
        return
            "\(name) runs as process \(process), its log is \(log); no systemd unit starts it, so start it at boot with: "
            + "\(name) run --config \(config)"
    }

    /// Creates the user that bondd-control runs as, unless a package has. bondd grants it access from its
    /// start.
    func prepareControl() throws {
        if Self.systemd != nil && isUnit { return }
        if let controlUser {
            guard Account(named: controlUser) != nil else {
                throw Failure("there is no user \(controlUser); name another with --control-user")
            }
        } else {
            _ = try ControlAccount.make()
        }
    }

    /// Time limit for a program to end, in tenths of a second; meanwhile it restores its changes to the host.
    private static let patience = 150

    /// Stops the program now, and keeps it from starting at boot.
    /// - Parameter interface: the tunnel's interface, which identifies the socket of a second instance.
    /// - Returns: a sentence for the user about the steps taken; `nil` if the program was not running.
    func stop(interface: String?) throws -> String? {
        if let systemd = Self.systemd, isUnit {
            guard systemd.run(["--quiet", "disable", "--now", "\(name).service"]) == 0 else {
                throw Failure("systemd could not stop \(name); see: journalctl -u \(name)")
            }
            return
                "\(name) is stopped, and no longer starts at boot (systemd: \(name).service)"
        }
        let sockets = [socket] + (interface.map { ["/run/bondd/\($0).sock"] } ?? [])
        for path in sockets {
            // Other instances on this host are left alone.
            if let interface {
                let response = try? ControlClient.ask(.status, path: path, timeout: 3000)
                if case .status(let status)? = response, status.interface != interface { continue }
            }
            guard let process = try? ControlClient.process(behind: path), process > 1 else { continue }
            guard kill(process, SIGTERM) == 0 else {
                throw Failure(
                    "could not stop \(name) (process \(process)): \(String(cString: strerror(errno)))")
            }
            for _ in 0..<Self.patience where (try? ControlClient.process(behind: path)) == process {
                usleep(100_000)
            }
            for _ in 0..<Self.patience where kill(process, 0) == 0 && !Self.isOver(process) {
                usleep(100_000)
            }
            guard kill(process, 0) != 0 || Self.isOver(process) else {
                throw Failure("\(name) (process \(process)) does not end; stop it by hand and run this again")
            }
            return "\(name) is stopped; no systemd unit started it, so remove whatever starts it at boot"
        }
        return nil
    }

    /// Whether a process has ended, even if its parent has not waited for it yet.
    private static func isOver(_ process: pid_t) -> Bool {
        guard let text = try? TextFile.read("/proc/\(process)/stat", limit: 4096) else { return true }
        return text.split(separator: ")").last?.dropFirst().first == "Z"
    }
}
