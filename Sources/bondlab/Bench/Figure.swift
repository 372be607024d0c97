import Lab

/// A figure with the values of all runs.
struct Figure: Encodable {
    let scenario: String
    let name: String
    let unit: String
    private(set) var values: [Double]
    private(set) var median: Double
    let ceiling: Double?
    let atLeast: Double?
    let atMost: Double?

    init(_ sample: Sample, of scenario: Scenario) {
        self.scenario = scenario.rawValue
        name = sample.name
        unit = sample.unit
        values = []
        median = 0
        ceiling = sample.ceiling
        atLeast = if case .atLeast(let least) = sample.bound { least } else { nil }
        atMost = if case .atMost(let most) = sample.bound { most } else { nil }
        add(sample.value)
    }

    mutating func add(_ value: Double) {
        values.append(value)
        median = values.median ?? value
    }

    private var decimals: Int {
        switch unit {
        case "", "packets", "packets/s", "µs": 0
        case "%", "×", "% of a core": 2
        case "s/Gbit": 3
        default: 1
        }
    }

    /// Whether it has a target.
    var hasTarget: Bool { atLeast != nil || atMost != nil }
    /// Whether it meets its target.
    var isMet: Bool { (atLeast.map { median >= $0 } ?? true) && (atMost.map { median <= $0 } ?? true) }

    /// The median without its unit, and the share of the ceiling.
    var cell: String {
        let share = ceiling.map { " (\(Format.number(median / $0 * 100, decimals: 0)) %)" } ?? ""
        return Format.number(median, decimals: decimals) + share
    }

    /// Scenario, figure, value with unit, spread, share of the ceiling, target and whether it is met.
    var row: [String] {
        func text(_ value: Double) -> String { Format.number(value, decimals: decimals) }
        let target = atLeast.map { "≥ \(text($0))" } ?? atMost.map { "≤ \(text($0))" } ?? ""
        return [
            scenario, name, text(median) + (unit == "packets" ? "" : " " + unit),
            values.count > 1 ? "\(text(values.min()!)) – \(text(values.max()!))" : "",
            ceiling.map { "\(Format.number(median / $0 * 100, decimals: 0)) %" } ?? "",
            target, target.isEmpty ? "" : isMet ? "met" : "MISSED",
        ]
    }
}
