/// Results of `bondd bench`.
struct MeasureReport: Encodable {
    /// One path by itself.
    struct Path: Encodable {
        let name: String
        /// Round trips in ms, before and under full load.
        let idle: Double
        let loaded: Double
        /// Mbit/s of packets that arrived at the other end.
        let up: Double
        let down: Double
        /// Loss ratio of datagrams, 0…1.
        let lossUp: Double
        let lossDown: Double

        private enum CodingKeys: String, CodingKey {
            case name, idle = "rtt_idle_ms", loaded = "rtt_loaded_ms", up = "up_mbit", down = "down_mbit"
            case lossUp = "loss_up", lossDown = "loss_down"
        }
    }

    /// All paths together.
    struct Bond: Encodable {
        let up: Double
        let down: Double
        /// Whether lost uplink packets were retransmitted.
        let isRepaired: Bool

        private enum CodingKeys: String, CodingKey {
            case up = "up_mbit", down = "down_mbit", isRepaired = "repaired"
        }
    }

    var paths: [Path] = []
    var bond = Bond(up: 0, down: 0, isRepaired: true)
    /// One sentence for each path that was left out.
    var skipped: [String] = []

    /// The report for people.
    var text: String {
        let sum = (up: paths.reduce(0) { $0 + $1.up }, down: paths.reduce(0) { $0 + $1.down })
        var rows = [["path", "RTT idle", "loaded", "up Mbit/s", "down Mbit/s", "lost up", "lost down"]]
        for path in paths {
            rows.append([
                path.name, "\(Self.number(path.idle, 0)) ms", "\(Self.number(path.loaded, 0)) ms",
                Self.number(path.up, 1), Self.number(path.down, 1), "\(Self.number(path.lossUp * 100, 1)) %",
                "\(Self.number(path.lossDown * 100, 1)) %",
            ])
        }
        rows.append(["sum", "", "", Self.number(sum.up, 1), Self.number(sum.down, 1), "", ""])
        rows.append(["bond", "", "", Self.number(bond.up, 1), Self.number(bond.down, 1), "", ""])
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { column in
                let gap = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + gap : gap + row[column]
            }.joined(separator: "  ")
        }
        let verdict =
            "The bond gives \(Self.number(bond.up, 0)) of \(Self.number(sum.up, 0)) Mbit/s up and "
            + "\(Self.number(bond.down, 0)) of \(Self.number(sum.down, 0)) down"
        return lines.joined(separator: "\n") + "\n\n"
            + (["\(verdict)\(losses)."] + skipped).joined(separator: "\n") + "\n"
    }

    /// `; lte loses 1.9 %, repaired`
    private var losses: String {
        let lossy = paths.filter { max($0.lossUp, $0.lossDown) >= 0.001 }.map {
            "\($0.name) loses \(Self.number(max($0.lossUp, $0.lossDown) * 100, 1)) %"
        }
        if lossy.isEmpty { return "" }
        return
            "; \(lossy.joined(separator: " and ")), \(bond.isRepaired ? "repaired" : "not all of it repaired")"
    }

    private static func number(_ value: Double, _ decimals: Int) -> String {
        let scale = decimals == 0 ? 1.0 : 10
        let scaled = Int((value * scale).rounded())
        return decimals == 0 ? "\(scaled)" : "\(scaled / 10).\(abs(scaled % 10))"
    }
}
