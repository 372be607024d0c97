import Packet
import Runtime

/// Counts the traffic and connections that the kernel carries, and ends those to be ended, on its own thread:
/// conntrack may have a million connections.
package final class ServiceCensus {
    /// The result of a census.
    package struct Outcome: Sendable {
        /// The traffic of each service's ports.
        package var traffic: [ServiceConnection: ServiceTraffic] = [:]
        /// The number of open connections.
        package var open: [ServiceConnection: Int] = [:]
        /// The number of connections ended.
        package var ended = 0
        /// An error from the kernel.
        package var problem: HostError?
    }

    /// Connections that begin while others are being ended are found in the next pass.
    private static let mostPasses = 3

    private let task: BackgroundTask<Outcome>

    /// Starts a census in the network namespace of this thread.
    /// - Parameters:
    ///   - table: the services' table; nil if there is none.
    ///   - services: the services carried.
    ///   - ending: the connections of services that are no longer carried.
    package init(table: String?, services: [KernelService], ending: Set<ServiceConnection>) {
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

    /// The result; nil while the census is running.
    package var outcome: Outcome? { task.outcome }

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

    /// Blocks these connections from coming back. Some may still do so: those that exceed the set's size, or
    /// come after the table was removed.
    private static func remember(_ connections: [TrackedConnection], in table: String) {
        var elements: FirewallElements = [:]
        for connection in connections.prefix(Int(FirewallSet.maximumSize)) {
            let set = FirewallTable.ServiceSet.ended(connection.target.family)
            elements[set, default: [:]][connection.endedKey] = []
        }
        try? FirewallSocket().add(elements, to: table)
    }
}
