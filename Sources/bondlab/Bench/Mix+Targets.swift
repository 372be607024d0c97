import Lab
import LinkModel
import Simulation

/// What a mix of links is measured against.
extension Mix {
    /// What its links are called in a lab, and what they do at the start.
    var specs: [LinkSpec] {
        links.enumerated().map { i, link in
            var spec = LinkSpec(name: "link\(i + 1)", link.up)
            spec.down = link.down
            return spec
        }
    }

    /// The ways in which it is of interest: both, unless its links differ between them and it is about one.
    var ways: [Mix] {
        if links.contains(where: { $0.up != $0.down }) { return [self] }
        return [Side.client, .server].map { Mix(name, title, links, from: $0) }
    }

    /// How figures call it.
    var label: String {
        let way = links.contains { $0.up != $0.down } ? "" : sender == .client ? " up" : " down"
        return "\(name)\(way) (\(title))"
    }

    private var shapes: [LinkShape] { links.flatMap { [$0.up, $0.down] } }
    private var hasJitter: Bool { shapes.contains { $0.jitter > 0 } }

    /// The least share of the ceiling that one Cubic flow has to get; nil where a link comes and goes, as paths that do
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

    /// By how many ms a ping beside a flow may be slower than an idle one: the median, and 99 of 100.
    var mostDelay: (median: Double, p99: Double) { hasJitter ? (30, 30) : (10, 20) }
}
