import Simulation

/// Results as the two tables of docs/simulation.md. Widths are fixed, so that a row does not depend on those
/// above it.
struct SimulationTable {
    private static let labels = (10, 41)

    let results: [SimulationResult]

    /// The lines, without newlines.
    var lines: [String] {
        [
            Self.line("", "", [("Cubic", 22), ("BBR", 11), ("QUIC-like", 20)]),
            Self.line(
                "row", "links",
                [("Mbit/s    %  of best", 22), ("Mbit/s    %", 11), ("Mbit/s    %  wrong %", 20)]),
        ] + results.map(bulk) + [
            "",
            Self.line(
                "", "",
                [
                    ("ping", 12), ("beside Cubic", 15), ("call", 16), ("call beside Cubic", 17),
                    ("UDP 75 %", 11),
                ]),
            Self.line(
                "row", "links",
                [
                    (" ms  p99 lost", 12), ("+ms +p99  lost", 15), ("lost late order", 16),
                    ("lost late order", 17), ("lost order", 11),
                ]),
        ] + results.map(light)
    }

    private static func line(_ row: String, _ links: String, _ groups: [(String, Int)]) -> String {
        let text =
            Format.left(row, labels.0) + " " + Format.left(links, labels.1)
            + groups.map { " | " + Format.left($0.0, $0.1) }.joined()
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    private func bulk(_ result: SimulationResult) -> String {
        func speed(_ column: Column) -> String {
            guard let bulk = result[column]?.bulk else { return "" }
            return Format.right(Format.number(bulk.megabits, decimals: 0), 6)
                + Format.right(Format.number(bulk.share * 100, decimals: 0), 5)
        }
        var cubic = speed(.cubic)
        if let best = result.bestSingle, let bulk = result[.cubic]?.bulk {
            cubic += Format.right("×" + Format.number(bulk.megabits / best, decimals: 2), 9)
        }
        var quic = speed(.quic)
        if let wrong = result[.quic]?.bulk?.spurious { quic += Self.percent(wrong, 9) }
        return Self.line(result.row, result.links, [(cubic, 22), (speed(.bbr), 11), (quic, 20)])
    }

    private func light(_ result: SimulationResult) -> String {
        func stream(_ stream: Cell.Stream?) -> String {
            stream.map {
                Self.percent($0.lost, 4) + Self.percent($0.late, 5) + Self.percent($0.outOfOrder, 6)
            }
                ?? ""
        }
        func milliseconds(_ value: Double, _ width: Int) -> String {
            Format.right(Format.number(value, decimals: 0), width)
        }
        var groups = [("", 12), ("", 15), (stream(result[.light]?.call), 16)]
        groups.append((stream(result[.busy]?.call), 17))
        if let idle = result[.light]?.pings {
            groups[0].0 =
                milliseconds(idle.median, 3) + milliseconds(idle.p99, 5) + Format.right("\(idle.lost)", 4)
            if let busy = result[.busy]?.pings {
                groups[1].0 =
                    milliseconds(busy.median - idle.median, 3) + milliseconds(busy.p99 - idle.median, 5)
                    + Format.right("\(busy.lost)", 6)
            }
        }
        let udp = result[.udp]?.udp
        groups.append((udp.map { Self.percent($0.lost, 4) + Self.percent($0.outOfOrder, 6) } ?? "", 11))
        return Self.line(result.row, result.links, groups)
    }

    private static func percent(_ share: Double, _ width: Int) -> String {
        Format.right(Format.number(share * 100, decimals: 1), width)
    }
}
