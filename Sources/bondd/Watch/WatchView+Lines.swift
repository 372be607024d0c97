import ControlProtocol

extension WatchView {
    /// Maximum number of a server's sessions that get lines; the fastest come first.
    private static let mostSessions = 20

    /// The view without a screen: one line for the bond and one for each path, or for each session of a
    /// server.
    func plainLines(time: String) -> [String] {
        guard let status = history.status else { return [] }
        let total = history.total.latest
        var lines = [
            "\(time) \(status.interface) \(status.role) \(status.mode)"
                + (status.sessions.isEmpty ? " no session" : "")
                + (status.sessions.count == 1 ? " \(status.sessions[0].state)" : "")
                + (status.sessions.count > 1 ? " sessions \(status.sessions.count)" : "")
                + rates(total)
        ]
        let shown = list.prefix(Self.mostSessions)
        for session in shown {
            if status.role == "server" {
                let up = session.paths.count { $0.state == "up" }
                lines.append(
                    "\(time)   \(session.client) \(session.state) paths \(up)/\(session.paths.count)"
                        + rates(history.sessions[session.client]?.latest))
            } else {
                for path in session.paths {
                    let key = StatusHistory.PathKey(client: session.client, path: path.name)
                    lines.append(
                        "\(time)   \(path.name) \(path.state) \(path.role) rtt \(Figure.text(path.rtt)) ms"
                            + " loss \(Figure.text(path.loss * 100)) %" + rates(history.paths[key]?.latest))
                }
            }
        }
        if list.count > shown.count { lines.append("\(time)   and \(list.count - shown.count) more") }
        lines += (status.problems ?? []).map { "\(time)   problem: \($0)" }
        return lines
    }

    private func rates(_ sample: RateHistory.Sample?) -> String {
        "  sent \(Figure.rate(sample?.sent ?? 0))  received \(Figure.rate(sample?.received ?? 0)) Mbit/s"
    }
}
