import Simulation

/// The mixes of links to measure, and the references to compare them with.
struct MixChoice {
    /// Names of mixes; empty means all.
    var only: [String] = []
    /// Whether to measure the best link alone, too.
    var withSingles = true
    /// Whether to measure without a tunnel, too: each link alone, and Multipath TCP.
    var withRivals = true

    /// The chosen mixes. A single link is not a mix unless it is asked for.
    var mixes: [Mix] {
        Mix.standard.filter { only.isEmpty ? $0.links.count > 1 : only.contains($0.name) }
    }
}
