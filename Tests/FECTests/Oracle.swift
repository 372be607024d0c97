@testable import FEC

/// The packets that can be recovered from source symbols and repair symbols at all: keeps everything, and
/// solves from scratch.
struct Oracle {
    private let field = LogField()
    private(set) var known: [UInt64: [UInt8]] = [:]
    private var equations: [(window: EncodingWindow, sum: [UInt8])] = []

    mutating func note(_ symbol: [UInt8], _ sequence: UInt64) { known[sequence] = symbol }
    mutating func take(_ sum: [UInt8], _ window: EncodingWindow) { equations.append((window, sum)) }

    /// The sum of the symbols of a window, all of which must be in `symbols`.
    func sum(_ window: EncodingWindow, _ symbols: [UInt64: [UInt8]]) -> [UInt8] {
        var sum: [UInt8] = []
        for sequence in window.first..<window.end {
            let symbol = symbols[sequence]!
            if symbol.count > sum.count { sum += [UInt8](repeating: 0, count: symbol.count - sum.count) }
            let c = window.coefficient(of: sequence)
            for i in symbol.indices { sum[i] ^= field.multiply(c, symbol[i]) }
        }
        return sum
    }

    /// The number of unknown sequences, and those determined by the symbols received.
    func solution() -> (unknowns: Int, determined: Set<UInt64>) {
        let unknowns = Set(equations.flatMap { e in (e.window.first..<e.window.end) })
            .subtracting(known.keys).sorted()
        var rows = equations.map { e in
            unknowns.map { e.window.contains($0) ? e.window.coefficient(of: $0) : 0 }
        }
        var rank = 0
        for column in unknowns.indices {
            guard let pivot = (rank..<rows.count).first(where: { rows[$0][column] != 0 }) else { continue }
            rows.swapAt(pivot, rank)
            let lead = rows[rank][column]
            rows[rank] = rows[rank].map { field.divide($0, by: lead) }
            for other in rows.indices where other != rank && rows[other][column] != 0 {
                let factor = rows[other][column]
                for i in unknowns.indices { rows[other][i] ^= field.multiply(factor, rows[rank][i]) }
            }
            rank += 1
        }
        var found: Set<UInt64> = []
        for row in rows[..<rank] where row.count(where: { $0 != 0 }) == 1 {
            found.insert(unknowns[row.firstIndex { $0 != 0 }!])
        }
        return (unknowns.count, found)
    }
}
