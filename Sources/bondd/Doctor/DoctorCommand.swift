import ArgumentParser
import Commands
import ControlProtocol
import Daemon
import Glibc
import Host
import Packet
import Settings

/// `bondd doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find what keeps bondd from working, on a client or server, with the remedy.",
        discussion: """
            Works whether bondd runs or not. Each line has ok, warn or FAIL, the finding, and the remedy. It changes nothing, takes at most 15 s, \
            and exits with 1 if something is wrong.
            """)

    @OptionGroup var options: GlobalOptions

    @OptionGroup var place: PlaceOptions

    @Option(
        help:
            "Also write a report for a support question into this new file: findings, configuration, status, routes, rules and log, without secrets."
    )
    var report: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// Time limit for all checks together.
    private static let patience = Interval.seconds(12)

    private static let checks: [any HostCheck] = [
        FileCheck(), UnitCheck(), DaemonCheck(), ControlPlaneCheck(), StateDirectoryCheck(), ClockCheck(),
        TunCheck(),
        KillSwitchCheck(), ListenCheck(), AddressCheck(), UDPCheck(), KeyCheck(), RouteCheck(),
        ReversePathCheck(),
        FirewallCheck(), NamesCheck(),
    ]

    func run() throws {
        let examination = examine()
        let findings = Self.checks.flatMap { $0.findings(examination) }
        if let report { try SupportReport(examination, findings).write(to: report) }
        if json {
            let line = try? Line.encode(Diagnosis(findings))
            print(String(decoding: line ?? [], as: UTF8.self), terminator: "")
        } else {
            print(FindingTable(findings).text, terminator: "")
            if let report {
                print(
                    "The report is in \(report). It contains no keys, tokens or links, but addresses and names."
                )
            }
        }
        try StandardOutput.finish()
        if findings.contains(where: { $0.verdict == .fail }) { throw ExitCode.failure }
    }

    private func examine() -> Examination {
        let deadline = Instant.now + Self.patience
        // If the keys are unreadable, reads the file without them for the checks that need none.
        let configuration =
            (try? Settings.Configuration(reading: place.config))
            ?? (try? Settings.Configuration(reading: place.config, keys: .leave))
        var socket = options.socket
        var status = Self.status(socket)
        // A second instance on the same machine has its own socket.
        if let own = configuration?.tunnel.interface, socket == "/run/bondd/bondd.sock",
            status?.interface != own
        {
            let other = "/run/bondd/\(own).sock"
            if let found = Self.status(other) {
                (socket, status) = (other, found)
            } else if status != nil {
                status = nil
            }
        }
        return Examination(
            file: place.config, stateDirectory: place.stateDirectory, socket: socket,
            configuration: configuration,
            status: status,
            facts: .now, deadline: deadline)
    }

    private static func status(_ socket: String) -> Status? {
        guard case .status(let status)? = try? ControlClient.ask(.status, path: socket, timeout: 2000) else {
            return nil
        }
        return status
    }
}

/// The output of `bondd doctor --json`.
struct Diagnosis: Encodable {
    let ok: Bool
    let findings: [Finding]

    init(_ findings: [Finding]) {
        ok = !findings.contains { $0.verdict == .fail }
        self.findings = findings
    }
}
