import ControlProtocol

/// A status for people.
struct StatusTable {
    let text: String

    init(_ status: Status) {
        let threads = status.role == "server" ? "  threads \(status.threads)" : ""
        var lines = [
            "\(status.interface)  \(status.role)  mode \(status.mode)  mtu \(status.mtu)\(threads)  up \(Self.time(status.uptime))"
        ]
        lines += Self.machinery(status)
        if status.sessions.isEmpty { lines.append("no session") }
        for session in status.sessions {
            lines.append("")
            lines.append(
                (Self.words(session.client, session.address) + [session.state, "mode \(session.mode)"]
                    // There are no keys before the first handshake.
                    + (session.state == "connecting" ? [] : ["keys \(Self.time(session.rekeyAge)) old"])
                    + (session.postQuantum.map { ["post-quantum \($0)"] } ?? []))
                    .joined(separator: "  "))
            var rows = [
                [
                    "path", "state", "role", "rtt ms", "jitter", "loss %", "Mbit/s", "queue", "sent",
                    "received",
                ]
            ]
            for path in session.paths {
                rows.append([
                    path.name, path.state, path.role, Self.number(path.rtt), Self.number(path.jitter),
                    Self.number(path.loss * 100), Self.number(path.rate), Self.number(path.queue),
                    Self.bytes(path.sentBytes), Self.bytes(path.receivedBytes),
                ])
            }
            lines += Self.narrowTable(rows)
            if status.role == "server" {
                let places = session.paths.filter { !$0.remote.isEmpty }.map { "\($0.name) \($0.remote)" }
                if !places.isEmpty { lines.append("  from: " + places.joined(separator: ", ")) }
            }
            let reorder = session.reorder
            lines.append(
                "  order: \(reorder.held) held, \(reorder.late) late, \(reorder.recovered) recovered, \(reorder.duplicates) copies dropped, "
                    + "deadline \(Self.number(reorder.deadline)) ms")
            lines += Self.counts(session)
            lines += Self.shaping(session)
            lines += session.paths.compactMap { Self.data($0) }
            lines += session.paths.compactMap { path in path.note.map { "  note: \(path.name): \($0)" } }
        }
        let drops = status.drops.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        if !drops.isEmpty {
            lines.append("")
            lines.append("drops: " + drops.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        }
        if let firewall = status.firewall { lines += Self.lines(of: firewall) }
        lines += (status.problems ?? []).map { "problem: \($0)" }
        lines += status.notices.map { "note: \($0)" }
        text = lines.flatMap(Self.folded).joined(separator: "\n") + "\n"
    }

    /// The columns that everything but sentences fits into; a sentence may contain a command to copy, which
    /// is never broken.
    static let width = 80

    private static func words(_ words: String...) -> [String] { words.filter { !$0.isEmpty } }

    /// The line folded to at most `width` columns, after commas, or else at spaces.
    private static func folded(_ line: String) -> [String] {
        if line.count <= width || line.hasPrefix("problem: ")
            || line.drop(while: { $0 == " " }).hasPrefix("note: ")
        {
            return [line]
        }
        var lines: [String] = []
        var rest = line
        while rest.count > width {
            let margin = rest.prefix { $0 == " " }.count
            let head = rest.prefix(width + 1)
            // A name and its figure stay together.
            let comma = head.ranges(of: ", ").last.map { head.index(after: $0.lowerBound) }
            guard let space = comma ?? head.lastIndex(of: " "),
                rest.distance(from: rest.startIndex, to: space) > margin
            else { break }
            lines.append(String(rest[..<space]))
            rest =
                String(repeating: " ", count: lines.count == 1 ? margin + 4 : margin)
                + rest[space...].drop { $0 == " " }
        }
        return lines + [rest]
    }

    /// A table of at most `width` columns; names in the first column are cut to fit.
    private static func narrowTable(_ rows: [[String]]) -> [String] {
        let whole = table(rows)
        let excess = (whole.map(\.count).max() ?? 0) - width
        let longest = rows.map { $0[0].count }.max() ?? 0
        guard excess > 0 else { return whole }
        let limit = max(6, longest - excess)
        return table(
            rows.map { row in
                row[0].count <= limit ? row : ["\(row[0].prefix(limit - 1))…"] + row.dropFirst()
            })
    }

    /// Where clients' packets leave, and the number refused by the kill switch.
    private static func lines(of firewall: FirewallStatus) -> [String] {
        var lines: [String] = []
        if let nat = firewall.nat {
            let exits = nat.egress.isEmpty ? "nowhere" : nat.egress.joined(separator: ", ")
            lines.append(
                "nat: clients leave by \(exits), \(bytes(nat.sentBytes)) sent, \(bytes(nat.receivedBytes)) received"
            )
        }
        if firewall.killSwitch {
            lines.append("kill switch: on, \(firewall.refusedPackets) packets refused")
        }
        return lines
    }

    /// Counts of the queue and of repairs.
    private static func counts(_ session: SessionStatus) -> [String] {
        guard let queue = session.queue, let repair = session.repair else { return [] }
        return [
            "  queue: \(session.queuePackets) waiting, \(queue.dropped) dropped, \(queue.marked) marked",
            "  repair: \(repair.resent) retransmitted, \(repair.unrepaired) lost; \(repair.copied) small packets sent twice",
        ]
    }

    /// Classes of service and limits.
    private static func shaping(_ session: SessionStatus) -> [String] {
        var lines = (session.classes ?? []).map { one in
            let ceiling = one.ceiling > 0 ? ", \(number(one.ceiling)) Mbit/s at most" : ""
            return
                "  class \(one.name): P\(one.priority), \(number(one.share)) %\(ceiling), \(bytes(one.sentBytes)) sent, \(one.queuePackets) waiting, \(one.dropped) dropped"
        }
        if let limits = session.limits {
            let rates = [(limits.rateUp, "up"), (limits.rateDown, "down")].filter { $0.0 > 0 }.map {
                "\(number($0.0)) Mbit/s \($0.1)"
            }
            lines.append(
                "  limits: " + (rates + (limits.priority.map { ["P\($0)"] } ?? [])).joined(separator: ", "))
        }
        return lines
    }

    /// `data: lte 8.1 of 10.0 GB this month`, for a path with a cap.
    private static func data(_ path: PathStatus) -> String? {
        guard let cap = path.dataCap, cap > 0, let used = path.dataUsed else { return nil }
        let amount = "\(bytes(UInt64(used * 1e9))) of \(bytes(UInt64(cap * 1e9)))"
        return "  data: \(path.name) \(amount) this month\(path.state == "spent" ? ", used up" : "")"
    }

    /// `offloads  tun csum tso4 tso6 uso   udp gso gro   cipher chacha20-poly1305 (libcrypto)`, with missing
    /// and refused ones in brackets; the cipher has its own line where that is too long.
    private static func machinery(_ status: Status) -> [String] {
        guard let offloads = status.offloads else { return [] }
        let order = ["csum", "tso4", "tso6", "uso"]
        let tun = summary(order.map { ($0, "", offloads.tun[$0] ?? "missing") })
        let udp = summary(
            offloads.udp.map { ("gso", $0.name, $0.segmentation) }
                + offloads.udp.map { ("gro", $0.name, $0.joining) })
        let line = "offloads  tun \(tun)   udp \(udp)"
        guard let cipher = status.cipher.map({ "cipher \($0.suite) (\($0.library))" }) else { return [line] }
        let both = "\(line)   \(cipher)"
        return both.count <= width ? [both] : [line, cipher]
    }

    /// The offloads in use, then the others in brackets, with their place unless it is the same everywhere;
    /// `off` if none is wanted.
    private static func summary(_ states: [(word: String, place: String, state: String)]) -> String {
        if states.allSatisfy({ $0.state == "off" }) { return states.isEmpty ? "-" : "off" }
        var words: [String] = []
        for (word, _, _) in states where !words.contains(word) { words.append(word) }
        var parts = words.filter { word in states.contains { $0.word == word && $0.state == "on" } }
        for word in words {
            let own = states.filter { $0.word == word }
            for state in ["missing", "refused"] {
                let places = own.filter { $0.state == state }.map(\.place)
                if places.isEmpty { continue }
                let isEverywhere = places.count == own.count
                parts.append(
                    "(\(word) \(state)\(isEverywhere ? "" : " on " + places.joined(separator: ", ")))")
            }
        }
        return parts.joined(separator: " ")
    }

    /// Columns side by side; all but the first `words` columns are right-aligned figures.
    static func table(_ rows: [[String]], words: Int = 3) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.reduce("") { line, column in
                let gap = String(repeating: " ", count: widths[column] - row[column].count)
                // Figures are right-aligned, and one space between them keeps the whole within 80 columns.
                return line + (column <= words ? "  " : " ")
                    + (column < words ? row[column] + gap : gap + row[column])
            }
        }
    }

    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1000 { return unit == "B" ? "\(count) B" : "\(number(value)) \(unit)" }
            value /= 1000
        }
        return "\(number(value)) TB"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(seconds)
        if whole < 120 { return "\(whole) s" }
        if whole < 7200 { return "\(whole / 60) min" }
        return "\(whole / 3600) h"
    }
}
