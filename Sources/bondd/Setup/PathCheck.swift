import Commands
import ControlProtocol
import Glibc
import Runtime

/// The last step of `bondd join`: waits for the session and reports for each path whether it works, its round
/// trip and its rate.
struct PathCheck {
    let socket: String
    /// Whether to measure rates, which takes about 6 s per path.
    let measures: Bool

    /// How long the session may take, then further paths, and then the daemon to say why one does not come up
    /// (it gives a silent path 3 s, and looks once a second), in tenths of a second.
    private static let patience = 200
    private static let settling = 30
    private static let explaining = 60
    /// How long name servers may take to be chosen, in tenths of a second.
    private static let namesPatience = 30

    func run() throws {
        guard var status = wait() else {
            guard case .status(let status)? = try? ControlClient.ask(.status, path: socket) else {
                throw Failure("bondd was started but does not answer; see its log")
            }
            let reason = status.notices.first.map { ": \($0)" } ?? "; see bondd status and its log"
            throw Failure("bondd runs but has no session with the server yet\(reason)")
        }
        // Others come up a moment after the first. One that does not gets a note that says why, a little later.
        for tenth in 0..<Self.explaining {
            let works = status.paths.allSatisfy { $0.state == "up" && $0.rtt > 0 }
            let isExplained = status.paths.allSatisfy { $0.state == "up" || $0.note != nil }
            if works || tenth >= Self.settling && isExplained { break }
            usleep(100_000)
            status = session() ?? status
        }
        print("the tunnel is up, with the address \(status.address)")
        var rows = [["path", "", "interface", "rtt ms", "up Mbit/s", "down Mbit/s"]]
        var passed = 0
        for path in status.paths {
            let isUp = path.state == "up"
            if isUp { passed += 1 }
            if isUp && measures { print("measuring \(path.name) …") }
            let rates = isUp && measures ? try rates(of: path.name) : ("-", "-")
            let rtt = path.rtt > 0 ? "\((path.rtt * 10).rounded() / 10)" : "-"
            rows.append([
                path.name, isUp ? "pass" : "fail (\(path.state))", path.interface, rtt, rates.0, rates.1,
            ])
        }
        for line in StatusTable.table(rows) { print(line) }
        for path in status.paths {
            if let note = path.note { print("note: \(path.name): \(note)") }
        }
        print("\(passed) of \(status.paths.count) paths work")
        for notice in notices() { print("note: \(notice)") }
    }

    /// Notices for the user, once the choice of name servers is known.
    private func notices() -> [String] {
        var notices: [String] = []
        for _ in 0..<Self.namesPatience {
            guard case .status(let status)? = try? ControlClient.ask(.status, path: socket) else { break }
            notices = status.notices
            if status.names?.settled != false { break }
            usleep(100_000)
        }
        return notices
    }

    private func rates(of path: String) throws -> (String, String) {
        let rates = try [true, false].map { isUp in
            try Measurement(path: path, isUp: isUp, seconds: 1, socket: socket).run().rate
        }
        return ("\((rates[0] * 10).rounded() / 10)", "\((rates[1] * 10).rounded() / 10)")
    }

    private func wait() -> SessionStatus? {
        for _ in 0..<Self.patience {
            if let session = session(), session.state == "up" { return session }
            usleep(100_000)
        }
        return nil
    }

    private func session() -> SessionStatus? {
        guard case .status(let status)? = try? ControlClient.ask(.status, path: socket) else { return nil }
        return status.sessions.first
    }
}
