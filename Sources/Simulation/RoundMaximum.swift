/// The maximum of what was noted in the last so many rounds.
struct RoundMaximum {
    private let rounds: Int
    private var best: [(value: Double, round: Int)] = []

    init(rounds: Int) { self.rounds = rounds }

    /// Zero before the first.
    var value: Double { best.first?.value ?? 0 }

    mutating func note(_ value: Double, round: Int) {
        while let last = best.last, last.value <= value { best.removeLast() }
        best.append((value, round))
        while let first = best.first, first.round <= round - rounds { best.removeFirst() }
    }
}
