import Simulation
import Synchronization

/// The throughput of one Cubic flow through the tunnel over a single link; each link is run once.
final class SingleLinks: Sendable {
    private struct Known {
        var link: LinkPlan
        var sender: Side
        var megabits: Double
    }

    private let seeds: [UInt64]
    private let usesECN: Bool
    private let known = Mutex<[Known]>([])

    init(seeds: [UInt64], usesECN: Bool) {
        self.seeds = seeds
        self.usesECN = usesECN
    }

    /// Mbit/s over the link of the mix that carries the most.
    func best(of mix: Mix) -> Double {
        var best = 0.0
        // Links that could not carry more than the best so far are skipped.
        for single in mix.singles where single.ceiling > best { best = max(best, megabits(single)) }
        return best
    }

    private func megabits(_ single: Mix) -> Double {
        let (link, sender) = (single.links[0], single.sender)
        if let found = known.withLock({ $0.first { $0.link == link && $0.sender == sender } }) {
            return found.megabits
        }
        let cell = SimulationBatch.mean(single, .cubic, seeds: seeds, usesECN: usesECN)
        let megabits = cell.bulk?.megabits ?? 0
        known.withLock { $0.append(Known(link: link, sender: sender, megabits: megabits)) }
        return megabits
    }
}
