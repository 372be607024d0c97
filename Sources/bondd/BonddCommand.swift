import ArgumentParser
import Commands
import Settings

/// The command line.
@main
struct BonddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondd",
        abstract: "A multi-path bonding VPN: all uplinks of a host as one encrypted tunnel.",
        version: Product.version,
        subcommands: [
            InitCommand.self, InviteCommand.self, JoinCommand.self, LeaveCommand.self, ClientsCommand.self,
            ServicesCommand.self, PortunusCommand.self,
            RunCommand.self,
            StatusCommand.self, SetCommand.self,
            MeasureCommand.self, DoctorCommand.self, UnlockCommand.self, CleanupCommand.self,
            KeyGenCommand.self, PubKeyCommand.self,
        ])

    /// See `runAsProgram`.
    static func main() { runAsProgram(hints: hints) }

    /// Terms of other programs and of systemctl, each with the command that does the same here.
    private static let hints = [
        "start": "systemctl start bondd, or bondd run without systemd",
        "up": "systemctl start bondd, or bondd run without systemd",
        "stop": "systemctl stop bondd", "down": "systemctl stop bondd",
        "restart": "systemctl restart bondd", "reload": "systemctl reload bondd",
        "enable": "systemctl enable --now bondd", "disable": "systemctl disable --now bondd",
        "log": "journalctl -u bondd", "logs": "journalctl -u bondd",
        "check": "bondd run --check", "validate": "bondd run --check", "version": "bondd --version",
        "connect": "bondd join LINK", "enrol": "bondd join LINK", "enroll": "bondd join LINK",
        "add": "bondd invite NAME", "peers": "bondd clients", "list": "bondd clients",
        "revoke": "bondd clients revoke NAME", "rename": "bondd clients rename NAME NEW",
        "show": "bondd status", "info": "bondd status", "watch": "bondd status --watch",
        "top": "bondd status --watch",
        "speedtest": "bondd bench", "genkey": "bondd keygen", "diagnose": "bondd doctor",
        "config": "man 5 bondd.toml",
    ]
}
