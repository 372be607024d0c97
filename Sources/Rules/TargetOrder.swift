import Packet

/// The order in which a rule's targets are tried, and when they are probed: first the healthy ones by priority,
/// then the others.
///
/// A failed target is tried last and so would hardly be tried again while others work. Therefore a failed
/// target among several is probed every 30 s if there are no other probes; with UDP, which cannot be probed, it
/// is given another chance.
package struct TargetOrder: Sendable {
    private struct Probe: Sendable {
        var next = Instant.never
        var isRunning = false
    }

    /// Indices of the targets, in the order in which they are tried.
    package private(set) var order: [Int] = []
    /// The health of the targets, in the order in which they were given.
    package private(set) var health: [TargetHealth]
    /// The number of changes between healthy and failed.
    package private(set) var healthChanges: UInt64 = 0

    /// The order if all targets are healthy.
    private let preferred: [Int]
    private let transport: TransportProtocol
    /// The interval of probes; nil means only failed targets are probed.
    private let interval: Interval?
    private var probes: [Probe]

    /// Permitted intervals between probes, in seconds.
    package static let probeIntervals: ClosedRange<Int> = 1...3600
    /// Timeout of a probe.
    package static let probePatience = Interval.seconds(5)
    private static let retrial = Interval.seconds(30)

    /// An order in which every target is healthy.
    package init(_ rule: Rule, at now: Instant) {
        let priorities = rule.targets.map(\.priority)
        preferred = priorities.indices.sorted { (priorities[$0], $0) < (priorities[$1], $1) }
        transport = rule.transport
        health = rule.targets.map { _ in TargetHealth() }
        let range = Self.probeIntervals
        interval =
            rule.probeInterval <= 0 || rule.transport == .udp
            ? nil : .seconds(Int64(min(max(rule.probeInterval, range.lowerBound), range.upperBound)))
        probes = rule.targets.map { _ in Probe() }
        if let interval {
            // Staggered, so that targets are not probed all at once.
            for index in probes.indices {
                probes[index].next = now + interval * Int64(index + 1) / Int64(probes.count)
            }
        }
        sort()
    }

    /// Whether the target is not the one that would be tried first if all were healthy.
    package func isFailover(_ index: Int) -> Bool { index != preferred.first }

    /// Records a failed connection or flow to the target.
    package mutating func fail(_ index: Int, at now: Instant) {
        update(index) { $0.fail(at: now) }
        if !health[index].isHealthy && interval == nil && health.count > 1 && probes[index].next == .never {
            probes[index].next = now + Self.retrial
        }
    }

    /// Records a successful connection to the target, or a datagram from it.
    package mutating func succeed(_ index: Int, at now: Instant) { update(index) { $0.succeed(at: now) } }

    /// When the next probe is due.
    package var nextProbe: Instant { probes.lazy.filter { !$0.isRunning }.map(\.next).min() ?? .never }

    /// The targets to probe now, by a TCP connection that is closed at once. Each has to be followed by `probed`.
    package mutating func startProbes(at now: Instant) -> [Int] {
        var due: [Int] = []
        for index in probes.indices where !probes[index].isRunning && probes[index].next <= now {
            if interval == nil && health[index].isHealthy {
                probes[index].next = .never
            } else if transport == .udp {
                probes[index].next = .never
                update(index) { $0.forgive(at: now) }
            } else {
                probes[index].isRunning = true
                probes[index].next = now + (interval ?? Self.retrial)
                due.append(index)
            }
        }
        return due
    }

    /// Records the end of a probe.
    /// - Parameter isUp: whether the target answered; nil if this host could not probe, which says nothing
    ///   about the target.
    package mutating func probed(_ index: Int, isUp: Bool?, at now: Instant) {
        probes[index].isRunning = false
        if let isUp { update(index) { isUp ? $0.succeed(at: now) : $0.fail(at: now) } }
        guard interval == nil else { return }
        // The second success that makes it healthy comes sooner than a regular probe.
        probes[index].next =
            health[index].isHealthy ? .never : isUp == true ? now + .seconds(1) : now + Self.retrial
    }

    private mutating func update(_ index: Int, _ change: (inout TargetHealth) -> Void) {
        let wasHealthy = health[index].isHealthy
        change(&health[index])
        guard health[index].isHealthy != wasHealthy else { return }
        healthChanges += 1
        sort()
    }

    private mutating func sort() {
        order = preferred.filter { health[$0].isHealthy } + preferred.filter { !health[$0].isHealthy }
    }
}
