extension Cell {
    /// The mean of runs with different seeds. All must be of the same column.
    /// - Precondition: `cells` is not empty.
    public static func mean(_ cells: [Cell]) -> Cell {
        func mean<Part>(_ parts: [Part], _ figure: (Part) -> Double) -> Double {
            parts.reduce(0) { $0 + figure($1) } / Double(parts.count)
        }
        func count<Part>(_ parts: [Part], _ figure: (Part) -> Int) -> Int {
            Int(mean(parts) { Double(figure($0)) }.rounded())
        }
        func stream(_ streams: [Stream]) -> Stream? {
            streams.isEmpty
                ? nil
                : Stream(
                    lost: mean(streams, \.lost), late: mean(streams, \.late),
                    outOfOrder: mean(streams, \.outOfOrder))
        }
        var result = cells[0]
        let bulks = cells.compactMap(\.bulk)
        if let first = bulks.first {
            result.bulk?.megabits = mean(bulks, \.megabits)
            result.bulk?.share = mean(bulks, \.share)
            if first.spurious != nil { result.bulk?.spurious = mean(bulks) { $0.spurious ?? 0 } }
            if first.roundTrip != nil { result.bulk?.roundTrip = mean(bulks) { $0.roundTrip ?? 0 } }
            if first.longRoundTrip != nil {
                result.bulk?.longRoundTrip = mean(bulks) { $0.longRoundTrip ?? 0 }
            }
            if first.recoveries != nil {
                result.bulk?.recoveries = count(bulks) { $0.recoveries ?? 0 }
                result.bulk?.undone = count(bulks) { $0.undone ?? 0 }
                result.bulk?.timeouts = count(bulks) { $0.timeouts ?? 0 }
            }
        }
        result.call = stream(cells.compactMap(\.call))
        result.udp = stream(cells.compactMap(\.udp))
        let pings = cells.compactMap(\.pings)
        if !pings.isEmpty {
            result.pings = Pings(
                median: mean(pings, \.median), p95: mean(pings, \.p95), p99: mean(pings, \.p99),
                lost: count(pings, \.lost))
        }
        return result
    }
}
