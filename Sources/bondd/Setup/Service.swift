import Commands
import ControlProtocol
import Glibc
import Runtime
import Settings

/// How bondd and bondd-control are kept running on this host: by systemd where that is the init system, else as processes that
/// go on by themselves and that somebody else has to start again after a boot.
struct Service {
    /// What is run: `bondd` or `bondd-control`.
    let name: String
    let config: String
    let socket: String
    let stateDirectory: String
    /// The user that bondd-control is to run as; nil: the usual one.
    var controlUser: String?

    private static var systemd: Program? {
        // As sd_booted(3) has it.
        access("/run/systemd/system", F_OK) == 0 ? Program(named: "systemctl") : nil
    }

    /// Whether there is a unit that runs it so: the packages bring them, for the usual paths.
    private var isUnit: Bool {
        config == "/etc/bondd/bondd.toml" && socket == "/run/bondd/bondd.sock"
            && stateDirectory == "/var/lib/bondd"
            && ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"].contains {
                access("\($0)/\(name).service", F_OK) == 0
            }
    }

    /// Starts it, now and after each boot where systemd is.
    /// - Returns: a sentence for the user on what was done.
    func start() throws -> String {
        if let systemd = Self.systemd, isUnit {
            guard systemd.run(["--quiet", "enable", "--now", "\(name).service"]) == 0 else {
                throw Failure("systemd could not start \(name); look at: journalctl -u \(name)")
            }
            return "\(name) runs, and starts with the system (systemd: \(name).service)"
        }
        guard
            let program = name == "bondd" ? Program.own.flatMap({ Program(path: $0) }) : Program(named: name)
        else {
            throw Failure("there is no program \(name) here; install the package \(name)")
        }
        let log = "\(stateDirectory)/\(name).log"
        mkdir(stateDirectory, 0o755)
        let state = name == "bondd" ? stateDirectory : "\(stateDirectory)/control"
        var arguments = ["run", "--config", config, "--socket", socket, "--state-dir", state]
        // Started as root, bondd-control becomes that user by itself.
        if let controlUser { arguments += [name == "bondd" ? "--control-user" : "--user", controlUser] }
        guard let process = program.start(arguments, log: log) else {
            throw Failure("could not start \(program.path); start it by hand: \(name) run --config \(config)")
        }
        return
            "\(name) runs as process \(process), its log is \(log); no unit of systemd starts it, so have it started at boot: "
            + "\(name) run --config \(config)"
    }

    /// Makes the user that bondd-control runs as, where no package has. bondd lets it in from its start.
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

    /// How long a program may take to end, in tenths of a second; what it set on the host is restored meanwhile.
    private static let patience = 150

    /// Stops it, now and after each boot.
    /// - Parameter interface: the tunnel's, by which a second instance's socket is found.
    /// - Returns: a sentence for the user on what was done; nil when it did not run.
    func stop(interface: String?) throws -> String? {
        if let systemd = Self.systemd, isUnit {
            guard systemd.run(["--quiet", "disable", "--now", "\(name).service"]) == 0 else {
                throw Failure("systemd could not stop \(name); look at: journalctl -u \(name)")
            }
            return
                "\(name) is stopped, and does not start with the system any more (systemd: \(name).service)"
        }
        let sockets = [socket] + (interface.map { ["/run/bondd/\($0).sock"] } ?? [])
        for path in sockets {
            // Another instance on this host is left alone.
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
            return "\(name) is stopped; no unit of systemd started it, so remove what starts it at boot"
        }
        return nil
    }

    /// Whether a process has ended, be it that its parent has not waited for it yet.
    private static func isOver(_ process: pid_t) -> Bool {
        guard let text = try? TextFile.read("/proc/\(process)/stat", limit: 4096) else { return true }
        return text.split(separator: ")").last?.dropFirst().first == "Z"
    }
}
