import ControlProtocol

// The view's parts, from top to bottom.
extension WatchView {
    func header(_ status: Status, _ columns: Int) -> StyledLine {
        var line = StyledLine(status.interface, .bold)
        line.append("  \(status.role)  mode ")
        line.append(status.mode, .bold)
        if isList {
            let up = status.sessions.count { $0.state == "up" }
            line.append("  sessions \(up) of \(status.sessions.count) up")
        }
        for part in ["  mtu \(status.mtu)", "  up \(Figure.time(status.uptime))"]
        where line.width + part.count <= columns { line.append(part) }
        let version = "bondd \(status.version)"
        if line.width + 2 + version.count <= columns {
            line.append(String(repeating: " ", count: columns - line.width - version.count) + version, .dim)
        }
        return line
    }

    func title(of session: SessionStatus, _ columns: Int) -> StyledLine {
        var line = StyledLine(session.client)
        if !session.address.isEmpty { line.append("  \(session.address)") }
        line.append("  ")
        line.append(session.state, Self.style(of: session.state))
        if session.state != "connecting" {
            for part in ["  mode \(session.mode)", "  keys \(Figure.time(session.rekeyAge)) old"]
            where line.width + part.count <= columns { line.append(part) }
        }
        return line
    }

    /// The sum of all paths, in both directions.
    func bond(_ status: Status, _ columns: Int) -> [StyledLine] {
        let rates =
            isList
            ? history.total : session.flatMap { history.sessions[$0.client] } ?? RateHistory()
        let sent = rates.samples.map(\.sent)
        let received = rates.samples.map(\.received)
        let top = max((sent + received).max() ?? 0, Self.lowestTop)
        func line(_ word: String, _ values: [Double]) -> StyledLine {
            let figure = Figure.rate(values.last ?? 0)
            var line = StyledLine(word)
            line.append(String(repeating: " ", count: max(1, 14 - word.count - figure.count)))
            line.append(figure, .bold)
            line.append(" Mbit/s  ")
            let width = min(RateHistory.capacity, columns - line.width)
            line.append(sparkline.text(values, width: width, top: top))
            return line
        }
        return [line("sent", sent), line("received", received)]
    }

    func pathTable(_ session: SessionStatus) -> WatchTable {
        let rates = session.paths.map {
            history.paths[.init(client: session.client, path: $0.name)] ?? RateHistory()
        }
        let rows = zip(session.paths, rates).map { path, rates -> [WatchTable.Cell] in
            [
                .text(path.name, .plain), .text(path.state, Self.style(of: path.state)),
                .text(path.role, .plain), .text(Figure.text(path.rtt), .plain),
                .text(Figure.text(path.jitter), .plain),
                .text(Figure.text(path.loss * 100), path.loss >= 0.02 ? .warning : .plain),
                .text(Figure.text(path.queue), .plain),
                .text(Figure.rate(rates.latest.sent), .plain), .rates(rates.samples.map(\.sent)),
                .text(Figure.rate(rates.latest.received), .plain), .rates(rates.samples.map(\.received)),
            ]
        }
        return WatchTable(
            columns: [
                .init(title: "path"), .init(title: "state", least: 7),
                .init(title: "role", rank: 4, least: 7),
                .init(title: "rtt ms", isRight: true, rank: 1),
                .init(title: "jitter", isRight: true, rank: 6),
                .init(title: "loss %", isRight: true, rank: 2),
                .init(title: "queue", isRight: true, rank: 8),
                .init(title: "sent", isRight: true, least: 5), .init(title: "Mbit/s", rank: 5),
                .init(title: "recv", isRight: true, least: 5), .init(title: "Mbit/s", rank: 5),
            ], rows: rows, sparkline: sparkline, top: Self.top(of: rates))
    }

    var sessionTable: WatchTable {
        let list = list
        let rates = list.map { history.sessions[$0.client] ?? RateHistory() }
        let rows = zip(list, rates).map { session, rates -> [WatchTable.Cell] in
            let up = session.paths.count { $0.state == "up" }
            let rtt = session.paths.filter { $0.state == "up" }.map(\.rtt).min()
            return [
                .text(session.client, .plain), .text(session.state, Self.style(of: session.state)),
                .text(session.address, .plain),
                .text("\(up)/\(session.paths.count)", up < session.paths.count ? .warning : .plain),
                .text(rtt.map { Figure.text($0) } ?? "-", .plain),
                .text(Figure.rate(rates.latest.sent), .plain), .rates(rates.samples.map(\.sent)),
                .text(Figure.rate(rates.latest.received), .plain), .rates(rates.samples.map(\.received)),
            ]
        }
        return WatchTable(
            columns: [
                .init(title: "client"), .init(title: "state", least: 7), .init(title: "address", rank: 3),
                .init(title: "paths", isRight: true, rank: 1), .init(title: "rtt ms", isRight: true, rank: 4),
                .init(title: "sent", isRight: true, least: 5), .init(title: "Mbit/s", rank: 5),
                .init(title: "recv", isRight: true, least: 5), .init(title: "Mbit/s", rank: 5),
            ], rows: rows, sparkline: sparkline, top: Self.top(of: rates))
    }

    /// Order, queue, repair and drops.
    func counts(_ status: Status) -> [StyledLine] {
        var lines: [StyledLine] = []
        if let session {
            let order = session.reorder
            lines.append(
                StyledLine(
                    "order   \(order.held) held  \(order.late) late  \(order.duplicates) copies dropped  "
                        + "deadline \(Figure.text(order.deadline)) ms"))
            let queue = session.queue.map { "  \($0.dropped) dropped  \($0.marked) marked" } ?? ""
            lines.append(StyledLine("queue   \(session.queuePackets) waiting\(queue)"))
            if let repair = session.repair {
                lines.append(
                    StyledLine(
                        "repair  \(repair.resent) retransmitted  \(repair.unrepaired) lost  "
                            + "\(order.recovered) recovered  \(repair.copied) sent twice"))
            }
        }
        let drops = status.drops.merging(session?.drops ?? [:], uniquingKeysWith: +)
            .filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        if !drops.isEmpty {
            lines.append(
                StyledLine("drops   " + drops.map { "\($0.key) \($0.value)" }.joined(separator: "  ")))
        }
        return lines
    }

    func footer(_ columns: Int) -> StyledLine {
        if let message { return StyledLine(message, .warning).cut(to: columns) }
        let isServer = history.status?.role == "server"
        var keys = [("q", "quit"), ("m", "mode")]
        if isList {
            keys += [("enter", "open"), ("s", isSortedByName ? "by rate" : "by name"), ("j k", "choose")]
        } else {
            keys += isServer ? [("esc", "back")] : [("r", "role")]
            keys.append(("j k", "choose"))
        }
        var line = StyledLine()
        for (key, word) in keys where line.width + key.count + word.count + 3 <= columns {
            if line.width > 0 { line.append("  ") }
            line.append(key, .bold)
            line.append(" \(word)")
        }
        return line.cut(to: columns)
    }

    /// A megabit is at least half a bar high, so that silence does not look like a storm.
    private static let lowestTop = 2.0

    private static func top(of rates: [RateHistory]) -> Double {
        rates.reduce(lowestTop) { top, rates in
            rates.samples.reduce(top) { max($0, $1.sent, $1.received) }
        }
    }

    private static func style(of state: String) -> StyledLine.Style {
        switch state {
        case "up": .good
        case "down": .bad
        default: .warning
        }
    }
}
