import Lab
import LinkModel
import Simulation

/// The targets for a mix of links.
extension Mix {
    /// Its links in a lab, with their properties at the start.
    var specs: [LinkSpec] {
        links.enumerated().map { i, link in
            var spec = LinkSpec(name: "link\(i + 1)", link.up)
            spec.down = link.down
            return spec
        }
    }

    /// The directions of interest: both, unless its links differ between them and it is about one of them.
    var ways: [Mix] {
        if links.contains(where: { $0.up != $0.down }) { return [self] }
        return [Side.client, .server].map { Mix(name, title, links, from: $0) }
    }

    /// Its label in figures.
    var label: String {
        let way = links.contains { $0.up != $0.down } ? "" : sender == .client ? " up" : " down"
        return "\(name)\(way) (\(title))"
    }

    private var shapes: [LinkShape] { links.flatMap { [$0.up, $0.down] } }
    private var hasJitter: Bool { shapes.contains { $0.jitter > 0 } }

    /// Minimum share of the ceiling for one Cubic flow; nil if a link comes and goes, because such paths
    /// are held back on purpose.
    var leastShare: Double? {
        let fails = links.contains {
            $0.steps.contains { if case .isDown = $0.change { true } else { false } }
        }
        if fails { return nil }
        // A quarter of a second one way: a satellite.
        if shapes.contains(where: { $0.delay >= 250_000_000 }) { return 0.85 }
        if hasJitter || shapes.contains(where: { $0.loss > 0 }) { return 0.95 }
        let rate = links.reduce(0) { $0 + max($1.up.rate, $1.down.rate) }
        return links.count > 2 || rate > 300_000_000 ? 0.95 : 0.97
    }

    /// Maximum additional delay in ms of a ping next to a flow, compared with an idle one: for the median and
    /// the 99th percentile.
    var mostDelay: (median: Double, p99: Double) { hasJitter ? (30, 30) : (10, 20) }
}
