import Simulation

/// Which mixes of links the bench measures, and beside what.
struct MixChoice {
    /// Names of mixes; empty for all.
    var only: [String] = []
    /// Whether also over the best link alone.
    var withSingles = true
    /// Whether also without a tunnel: each link alone, and Multipath TCP.
    var withRivals = true
    /// Where recorded drives are; nil for none.
    var traces: String?
    /// Which of their columns; empty for all.
    var networks: [String] = []

    /// Those chosen. A single link is no mix unless it is asked for.
    var mixes: [Mix] {
        Mix.standard.filter { only.isEmpty ? $0.links.count > 1 : only.contains($0.name) }
    }
}
