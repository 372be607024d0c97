import Simulation

/// Results as the tables of docs/simulation.md: two for steady mixes, one for mixes that vary all the time.
/// Widths are fixed, so that a row looks the same whichever rows surround it.
struct SimulationTable {
    private static let labels = (10, 41)

    let results: [SimulationResult]

    /// The lines, without newlines.
    var lines: [String] {
        let (steady, varying) = (results.filter { !$0.isVarying }, results.filter(\.isVarying))
        let tables = [
            steady.isEmpty ? [] : self.steady(steady), varying.isEmpty ? [] : self.varying(varying),
        ]
        return Array(tables.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private func varying(_ results: [SimulationResult]) -> [String] {
        let heading = ("   %  ping  p95 lost", 20)
        return [
            Self.line(
                "", "", [("", 6), ("UDP flood", 20), ("Cubic", 28), ("BBR", 20), ("QUIC-like", 20)]),
            Self.line(
                "row", "links",
                [("Mbit/s", 6), heading, ("   %  ping  p95 lost of best", 28), heading, heading]),
        ]
            + results.map { result in
                var cubic = Self.load(result[.cubic])
                if let best = result.bestSingle, let bulk = result[.cubic]?.bulk {
                    cubic += Format.right("×" + Format.number(bulk.megabits / best, decimals: 2), 8)
                }
                return Self.line(
                    result.row, result.links,
                    [
                        (Format.right(Format.number(result.ceiling, decimals: 0), 6), 6),
                        (Self.load(result[.flood]), 20), (cubic, 28), (Self.load(result[.bbr]), 20),
                        (Self.load(result[.quic]), 20),
                    ])
            }
    }

    /// Percent of the ceiling; and of the pings next to the flow the median, the 95th percentile, and the
    /// number lost.
    private static func load(_ cell: Cell?) -> String {
        guard let bulk = cell?.bulk, let pings = cell?.pings else { return "" }
        func whole(_ value: Double, _ width: Int) -> String {
            Format.right(Format.number(value, decimals: 0), width)
        }
        return whole(bulk.share * 100, 4) + whole(pings.median, 6) + whole(pings.p95, 5)
            + Format.right("\(pings.lost)", 5)
    }

    private func steady(_ results: [SimulationResult]) -> [String] {
        [
            Self.line(
                "", "",
                [("Cubic", 22), ("BBR", 11), ("QUIC-like", 20), ("QUIC, BBR", 11), ("scalable", 22)]),
            Self.line(
                "row", "links",
                [
                    ("Mbit/s    %  of best", 22), ("Mbit/s    %", 11), ("Mbit/s    %  wrong %", 20),
                    ("Mbit/s    %", 11), ("Mbit/s    %  rtt  p95", 22),
                ]),
        ] + results.map(bulk) + [
            "",
            Self.line(
                "", "",
                [
                    ("ping", 12), ("with Cubic", 15), ("call", 16), ("call with Cubic", 17),
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
        var scalable = speed(.scalable)
        if let bulk = result[.scalable]?.bulk {
            for value in [bulk.roundTrip, bulk.longRoundTrip] {
                scalable += Format.right(Format.number(value ?? 0, decimals: 0), 5)
            }
        }
        return Self.line(
            result.row, result.links,
            [
                (cubic, 22), (speed(.bbr), 11), (quic, 20), (speed(.quicBBR), 11), (scalable, 22),
            ])
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
