import Simulation

/// The results in a row of the simulation table.
struct SimulationResult: Encodable, Sendable {
    let row: String
    let links: String
    private(set) var cells: [String: Cell] = [:]
    /// Mbit/s of one Cubic flow through the tunnel over the best single link.
    var bestSingle: Double?

    init(_ mix: Mix) {
        row = mix.name
        links = mix.title
    }

    subscript(column: Column) -> Cell? {
        get { cells[column.rawValue] }
        set { cells[column.rawValue] = newValue }
    }
}
