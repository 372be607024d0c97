import ControlProtocol

/// `bondd status --watch` as lines of text for a screen of any size. It knows neither terminal nor clock.
struct WatchView {
    /// Statuses received from the daemon.
    var history = StatusHistory()
    /// The path that keys act on; on a server, the session.
    var selection = 0
    /// Server: the client whose paths are shown instead of the list of sessions.
    var opened: String?
    /// Server: whether sessions are sorted by name instead of by rate.
    var isSortedByName = false
    /// The text in the bottom line instead of the keys: the result of the last one pressed.
    var message: String?
    /// The reason why there is no newer status; `nil` while the daemon answers.
    var silence: String?
    /// The characters that rates are drawn with.
    var sparkline = Sparkline.ascii

    /// Whether a server's sessions are listed, rather than the paths of one.
    var isList: Bool { history.status?.role == "server" && openedSession == nil }

    /// The session whose paths are shown.
    var session: SessionStatus? {
        history.status?.role == "server" ? openedSession : history.status?.sessions.first
    }

    private var openedSession: SessionStatus? {
        opened.flatMap { name in history.status?.sessions.first { $0.client == name } }
    }

    /// A server's sessions, fastest first.
    var list: [SessionStatus] {
        let sessions = history.status?.sessions ?? []
        func rate(_ session: SessionStatus) -> Double {
            let latest = history.sessions[session.client]?.latest
            return (latest?.sent ?? 0) + (latest?.received ?? 0)
        }
        if isSortedByName { return sessions.sorted { $0.client < $1.client } }
        return sessions.map { ($0, rate($0)) }
            .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.client < $1.0.client }.map(\.0)
    }

    /// Number of rows that can be selected.
    var rowCount: Int { isList ? history.status?.sessions.count ?? 0 : session?.paths.count ?? 0 }

    /// The screen: at most `rows` lines of at most `columns`.
    func lines(columns: Int, rows: Int) -> [StyledLine] {
        guard columns > 0, rows > 0 else { return [] }
        guard let status = history.status else {
            return [StyledLine(silence ?? "waiting for bondd", .bad).cut(to: columns)]
        }
        var top = [header(status, columns)]
        if let silence { top.append(StyledLine(silence, .bad)) }
        if !isList { top += session.map { [title(of: $0, columns)] } ?? [StyledLine("no session", .warning)] }
        let bond = bond(status, columns)
        let table = isList ? sessionTable : session.map { pathTable($0) }
        var tableLines = table?.lines(width: columns, selected: selection) ?? []
        if rowCount == 0 { tableLines = [StyledLine(isList ? "  no session" : "  no paths", .dim)] }
        let problems = (status.problems ?? []).flatMap { Self.wrap("problem: \($0)", columns, .bad) }
        let notes = status.notices.flatMap { Self.wrap("note: \($0)", columns, .warning) }
        let counts = counts(status)

        // The most important parts get their lines first; the table takes at least its header and two rows.
        var room = rows - 1 - top.count - bond.count - min(tableLines.count, 3)
        var shown: [[StyledLine]] = []
        for block in [problems, counts, notes] {
            let part = Array(block.prefix(max(0, room)))
            shown.append(part)
            room -= part.count
        }
        let height = min(tableLines.count, 3) + max(0, room)
        room -= max(0, tableLines.count - 3)
        tableLines = scroll(tableLines, to: height)
        // Blank lines use the rows that remain.
        var lines = top
        for block in [bond, tableLines, shown[1], shown[0], shown[2]] where !block.isEmpty {
            if room > 0 {
                lines.append(StyledLine())
                room -= 1
            }
            lines += block
        }
        let body = lines.prefix(rows - 1).map { $0.cut(to: columns) }
        let filler = Array(repeating: StyledLine(), count: max(0, rows - 1 - body.count))
        return rows == 1 ? [lines[0].cut(to: columns)] : body + filler + [footer(columns)]
    }

    // MARK: - Layout

    /// The header and the rows around the selected one.
    private func scroll(_ table: [StyledLine], to height: Int) -> [StyledLine] {
        guard table.count > height, height > 1 else { return Array(table.prefix(height)) }
        let rows = height - 1
        let first = min(max(0, selection - rows / 2), table.count - 1 - rows)
        return [table[0]] + table[(1 + first)..<(1 + first + rows)]
    }

    /// A sentence folded into at most three lines of at most `columns`.
    private static func wrap(_ text: String, _ columns: Int, _ style: StyledLine.Style) -> [StyledLine] {
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].isEmpty {
                lines[lines.count - 1] = String(word)
            } else if lines[lines.count - 1].count + 1 + word.count <= columns {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append("  \(word)")
            }
        }
        return lines.prefix(3).map { StyledLine($0, style) }
    }
}
