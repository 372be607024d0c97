import Lab
import LinkModel
import Simulation

/// The throughput of one Cubic flow over many mixes of links: through the tunnel with nothing configured but
/// its interfaces, through it over the best link alone, and without it.
struct Mixes {
    private struct Single {
        let link: LinkPlan
        let sender: Side
        let megabits: Double
    }

    private let round: Round
    private var singles: [Single] = []
    private var findings = Findings()
    /// Why Multipath TCP is unavailable here; reported once.
    private var obstacle: String?

    init(_ round: Round) { self.round = round }

    mutating func measure() throws -> Findings {
        if round.mixes.withRivals { try lookForMultipath() }
        for mix in round.mixes.mixes.flatMap(\.ways) {
            Progress.tell("  \(mix.label) …")
            do {
                try bond(mix)
                // Symmetric links give the same results for others in both directions.
                if round.mixes.withRivals, mix.sender == .client || mix.ways.count == 1 { try rivals(mix) }
            } catch let error as LabError {
                // One missing figure should not discard an hour's other figures.
                findings.notes.append("\(mix.label): \(error)")
            }
        }
        return findings
    }

    private mutating func add(
        _ mix: Mix, _ name: String, _ unit: String, _ value: Double, of ceiling: Double? = nil,
        _ bound: Sample.Bound? = nil
    ) {
        findings.samples.append(Sample("\(mix.label): \(name)", unit, value, of: ceiling, bound))
    }

    private mutating func bond(_ mix: Mix) throws {
        let run = try MixRun.bond(mix, round.stopper, seed: UInt64(round.number))
        let ceiling = mix.ceiling
        add(
            mix, "bond", "Mbit/s", run.megabits, of: ceiling, mix.leastShare.map { .atLeast($0 * ceiling) })
        if round.mixes.withSingles, mix.links.count > 1 {
            let best = try bestSingle(of: mix)
            add(mix, "best link", "Mbit/s", best, of: ceiling)
            add(mix, "bond of best link", "%", run.megabits / best * 100, .atLeast(97))
        }
        guard let idle = run.idle?.medianRTT, let loaded = run.loaded else { return }
        add(mix, "idle ping", "ms", idle)
        let most = mix.mostDelay
        add(mix, "added, median", "ms", (loaded.medianRTT ?? .infinity) - idle, .atMost(most.median))
        add(mix, "added, p99", "ms", (loaded.quantile(0.99) ?? .infinity) - idle, .atMost(most.p99))
        add(mix, "lost", "packets", Double(loaded.lost))
    }

    /// The rate of the best single link. Links that could not carry more than the best so far are skipped, and
    /// each link is tried once.
    private mutating func bestSingle(of mix: Mix) throws -> Double {
        var best = 0.0
        for single in mix.singles where single.ceiling > best {
            let (link, sender) = (single.links[0], single.sender)
            let known = singles.first { $0.link == link && $0.sender == sender }?.megabits
            let megabits =
                try known ?? MixRun.bond(single, round.stopper, seed: UInt64(round.number)).megabits
            if known == nil { singles.append(Single(link: link, sender: sender, megabits: megabits)) }
            best = max(best, megabits)
        }
        return best
    }

    private mutating func rivals(_ mix: Mix) throws {
        let seed = UInt64(round.number)
        let alone = try MixRun.alone(mix, round.stopper, seed: seed)
        add(mix, "links alone", "Mbit/s", alone.reduce(0, +), of: mix.ceiling)
        if obstacle != nil || mix.links.count < 2 { return }
        for (congestion, name) in [("cubic", "Cubic"), ("bbr", "BBR")] {
            let run = try MixRun.multipath(mix, congestion, round.stopper, seed: seed)
            add(mix, "MPTCP, \(name)", "Mbit/s", run.megabits, of: mix.ceiling)
            if run.joins < mix.links.count - 1 {
                findings.notes.append(
                    "\(mix.label): with \(name) only \(run.joins + 1) links took part in Multipath TCP.")
            }
        }
    }

    private mutating func lookForMultipath() throws {
        let lab = try Lab(seed: 1)
        defer { lab.close() }
        obstacle = MultipathTCP.obstacle(in: try lab.namespace("client"))
        if let obstacle { findings.notes.append("Without Multipath TCP: \(obstacle)") }
    }
}
