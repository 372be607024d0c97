/// One figure of one run.
struct Sample {
    /// The target of a figure.
    enum Bound: Equatable {
        case atLeast(Double)
        case atMost(Double)

        func isMet(_ value: Double) -> Bool {
            switch self {
            case .atLeast(let least): value >= least
            case .atMost(let most): value <= most
            }
        }
    }

    var name: String
    var unit: String
    var value: Double
    /// The attainable value, in the same unit.
    var ceiling: Double?
    var bound: Bound?

    init(_ name: String, _ unit: String, _ value: Double, of ceiling: Double? = nil, _ bound: Bound? = nil) {
        self.name = name
        self.unit = unit
        self.value = value
        self.ceiling = ceiling
        self.bound = bound
    }
}
