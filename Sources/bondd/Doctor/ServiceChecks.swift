import Commands
import ControlProtocol
import Glibc
import Host
import Settings

/// The daemon: whether it runs, its problems and notices, and the state of its paths.
struct DaemonCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard let status = examination.status else { return [Self.silence(examination)] }
        return Self.judge(status)
    }

    private static func silence(_ examination: Examination) -> Finding {
        do throws(SocketError) {
            _ = try ControlClient.ask(.status, path: examination.socket, timeout: 1000)
            return .ok("bondd", "runs")
        } catch {
            switch error {
            case .notRunning where examination.configuration == nil:
                return .fail("bondd", "does not run", "set it up first; see config above")
            case .notRunning:
                return .fail(
                    "bondd", "does not run (nothing answers on \(examination.socket))",
                    "systemctl start bondd, or bondd run without systemd; why it ended: journalctl -u bondd")
            case .socketForbidden: return .warn("bondd", "this user may not query it", "run this as root")
            default: return .told("bondd", .fail, error.description)
            }
        }
    }

    /// Judges a status.
    static func judge(_ status: Status, version: String = Product.version) -> [Finding] {
        var findings: [Finding] = []
        let up = status.sessions.count { $0.state == "up" }
        let sessions = status.role == "server" ? ", \(up) of \(status.sessions.count) sessions up" : ""
        if status.version == version {
            findings.append(
                .ok("bondd", "\(version) runs as \(status.role) on \(status.interface)\(sessions)"))
        } else {
            findings.append(
                .warn(
                    "bondd", "\(status.version) runs as \(status.role), but this command is \(version)",
                    "systemctl restart bondd bondd-control"))
        }
        if status.role == "client" {
            findings += status.sessions.flatMap(Self.judge)
        }
        findings += (status.problems ?? []).map { .told("status", .fail, $0) }
        findings += status.notices.map { .told("status", .warn, $0) }
        return findings
    }

    private static func judge(_ session: SessionStatus) -> [Finding] {
        var findings: [Finding] = []
        if session.state == "up" {
            let address = session.address.isEmpty ? "" : ", with the address \(session.address)"
            findings.append(.ok("session", "is up\(address)"))
        } else {
            findings.append(
                .fail("session", "there is none with the server", "see path and udp below"))
        }
        findings += session.paths.map { path in
            let place = path.interface.isEmpty || path.interface == path.name ? "" : " over \(path.interface)"
            switch path.state {
            case "up":
                let found =
                    "\(path.name) is up\(place), RTT \(Figure.text(path.rtt)) ms, loss \(Figure.text(path.loss * 100)) %, MTU \(path.mtu)"
                if let note = path.note {
                    return .told("path", .warn, "\(path.name) is up\(place), but \(note)")
                }
                // IPv6 requires at least 1280 (RFC 8200 section 5), and many networks silently drop larger
                // packets.
                if path.mtu > 0 && path.mtu < 1280 {
                    return .warn(
                        "path", found,
                        "a path MTU below 1280 bytes costs throughput; check whether the path runs through another VPN"
                    )
                }
                return .ok("path", found)
            case "spent":
                return .warn("path", "\(path.name) has used up its data until next month", path.note)
            default:
                if let note = path.note {
                    return .told("path", .fail, "\(path.name) is \(path.state)\(place): \(note)")
                }
                if path.role == "never" {
                    return .ok("path", "\(path.name) is not used, because its role is never")
                }
                return .fail("path", "\(path.name) is \(path.state)\(place)", "see udp below")
            }
        }
        return findings
    }
}

/// bondd-control, and whether both programs have the same version.
struct ControlPlaneCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard let configuration = examination.configuration else { return [] }
        let isNeeded = examination.server != nil || configuration.health != nil
        var findings: [Finding] = []
        let installed = CapturedCommand(
            words: ["bondd-control", "--version"], patience: examination.time(atMost: 2000)
        ).run()
        guard let installed else {
            return isNeeded
                ? [
                    .warn(
                        "control", "there is no program bondd-control on this host",
                        "install the package bondd-control: invitations, metrics and services need it")
                ]
                : []
        }
        let version = installed.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if version != Product.version {
            findings.append(
                .fail(
                    "control", "bondd is \(Product.version), bondd-control \(version)",
                    "install both packages in the same version"))
        }
        guard examination.server != nil else { return findings }
        let socket = ControlServiceSocket(beside: examination.socket)
        if socket.isAlive {
            findings.append(.ok("control", "bondd-control \(version) runs"))
        } else {
            // A server whose clients are all in its file works without bondd-control.
            let isMissed = examination.server?.clients.isEmpty != false || configuration.health != nil
            findings.append(
                Finding(
                    check: "control", verdict: isMissed ? .fail : .warn,
                    found:
                        "bondd-control does not run (nothing answers on \(socket.path)): clients can't join",
                    remedy: "systemctl start bondd-control; why it ended: journalctl -u bondd-control"))
        }
        return findings
    }
}

/// systemd's view of both programs, on hosts with systemd.
struct UnitCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        // The test of sd_booted(3).
        guard access("/run/systemd/system", F_OK) == 0, examination.configuration != nil else { return [] }
        let units = examination.server == nil ? ["bondd"] : ["bondd", "bondd-control"]
        return units.flatMap { unit -> [Finding] in
            let words = [
                "systemctl", "show", "-p", "LoadState,ActiveState,UnitFileState,Result", "\(unit).service",
            ]
            guard let answer = CapturedCommand(words: words, patience: examination.time(atMost: 2000)).run()
            else { return [] }
            return Self.judge(unit, answer.text)
        }
    }

    /// - Parameter text: `KEY=VALUE` lines.
    static func judge(_ unit: String, _ text: String) -> [Finding] {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = line[line.index(after: equals)...]
        }
        switch values["LoadState"] {
        case "loaded"?: break
        case "masked"?: return [.fail("systemd", "\(unit).service is masked", "systemctl unmask \(unit)")]
        // Not started by systemd.
        default: return []
        }
        var findings: [Finding] = []
        if values["ActiveState"] == "failed" {
            findings.append(
                .fail(
                    "systemd", "\(unit).service has failed (\(values["Result"] ?? "?"))",
                    "the reason: journalctl -u \(unit) -n 20; then systemctl restart \(unit)"))
        }
        if values["UnitFileState"] == "disabled" {
            findings.append(
                .warn("systemd", "\(unit).service does not start with the system", "systemctl enable \(unit)")
            )
        }
        return findings.isEmpty
            ? [.ok("systemd", "\(unit).service is \(values["ActiveState"] ?? "there")")] : findings
    }
}
