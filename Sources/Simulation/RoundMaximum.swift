/// The maximum of the values recorded in a number of recent rounds.
struct RoundMaximum {
    private let rounds: Int
    private var best: [(value: Double, round: Int)] = []

    init(rounds: Int) { self.rounds = rounds }

    /// The maximum; zero before the first value.
    var value: Double { best.first?.value ?? 0 }

    mutating func note(_ value: Double, round: Int) {
        while let last = best.last, last.value <= value { best.removeLast() }
        best.append((value, round))
        while let first = best.first, first.round <= round - rounds { best.removeFirst() }
    }
}
