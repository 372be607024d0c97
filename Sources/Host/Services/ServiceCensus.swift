import Packet
import Runtime

/// Finds out what the kernel has carried and what is open, and ends what is to be ended, on a thread of its own: conntrack
/// may have a million connections.
public final class ServiceCensus {
    /// What came of it.
    public struct Outcome: Sendable {
        /// What was counted of each service's ports.
        public var traffic: [ServiceConnection: ServiceTraffic] = [:]
        /// How many connections are open.
        public var open: [ServiceConnection: Int] = [:]
        /// How many were ended.
        public var ended = 0
        /// What the kernel refused.
        public var problem: HostError?
    }

    /// A connection that begins while the others are ended is seen the next time.
    private static let mostPasses = 3

    private let task: BackgroundTask<Outcome>

    /// Begins it in the network namespace of this thread.
    /// - Parameters:
    ///   - table: the services' table; nil when there is none.
    ///   - services: what is carried.
    ///   - ending: what is not carried any more.
    public init(table: String?, services: [KernelService], ending: Set<ServiceConnection>) {
        task = BackgroundTask(name: "service census") {
            var outcome = Outcome()
            do throws(HostError) {
                if !ending.isEmpty { try Self.end(ending, table, &outcome) }
                try Self.count(services, table, &outcome)
            } catch {
                outcome.problem = error
            }
            return outcome
        }
    }

    /// Its outcome, or nil while it goes on.
    public var outcome: Outcome? { task.outcome }

    private static func count(
        _ services: [KernelService], _ table: String?, _ outcome: inout Outcome
    ) throws(HostError) {
        guard let table, !services.isEmpty else { return }
        outcome.traffic = try FirewallSocket().serviceTraffic(table: table, of: services)
        let known = Set(services.flatMap(\.connections))
        var open: [ServiceConnection: Int] = [:]
        try ConntrackSocket().forEachTranslated { connection in
            if !connection.isOver && known.contains(connection.service) {
                open[connection.service, default: 0] += 1
            }
        }
        outcome.open = open
    }

    private static func end(
        _ ending: Set<ServiceConnection>, _ table: String?, _ outcome: inout Outcome
    ) throws(HostError) {
        let conntrack = try ConntrackSocket()
        for _ in 0..<mostPasses {
            var found: [TrackedConnection] = []
            try conntrack.forEachTranslated { if ending.contains($0.service) { found.append($0) } }
            if found.isEmpty { return }
            if let table { remember(found, in: table) }
            for connection in found where try conntrack.delete(connection) { outcome.ended += 1 }
        }
    }

    /// Keeps them from coming back. What the set has no room for, or no time as the table was just removed, may.
    private static func remember(_ connections: [TrackedConnection], in table: String) {
        var elements: FirewallElements = [:]
        for connection in connections.prefix(Int(FirewallSet.maximumSize)) {
            let set = FirewallTable.ServiceSet.ended(connection.target.family)
            elements[set, default: [:]][connection.endedKey] = []
        }
        try? FirewallSocket().add(elements, to: table)
    }
}
