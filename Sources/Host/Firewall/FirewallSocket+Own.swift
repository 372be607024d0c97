import CNetlink
import Glibc

// Inspects and removes bondd's own tables.
extension FirewallSocket {
    /// Packets and bytes counted by rules.
    package struct Count: Hashable, Sendable {
        /// The number of packets.
        package var packets: UInt64 = 0
        /// The number of bytes in IP packets.
        package var bytes: UInt64 = 0
    }

    /// Whether the table exists with the expected rules.
    package borrowing func holds(_ table: FirewallTable) -> Bool {
        guard let names = try? inetTables(), names.contains(table.name),
            let rules = try? rules(family: FirewallBatch.inet, table: table.name),
            let wanted = try? table.chains.flatMap({ try $0.rules.map { try RulesetRule($0) } })
        else { return false }
        return rules.map(\.steps).elementsEqual(wanted.map(\.steps)) { $0.elementsEqual($1) { $0.says($1) } }
    }

    /// The counters of a table's rules since it was created, by their names.
    package borrowing func counts(table: String) throws(HostError) -> [String: Count] {
        var counts: [String: Count] = [:]
        for rule in try rules(family: FirewallBatch.inet, table: table) {
            guard let name = rule.comment else { continue }
            for case .counter(let packets, let bytes) in rule.steps {
                counts[name, default: Count()].packets += packets
                counts[name, default: Count()].bytes += bytes
            }
        }
        return counts
    }

    /// Removes the tables left by daemons that were killed: those whose tunnel's interface is gone. Kill switches stay.
    /// - Parameter interface: a tunnel whose tables are removed whether or not its interface exists.
    /// - Returns: the names of the tables removed.
    package borrowing func clean(_ interface: String) throws(HostError) -> [String] {
        var removed: [String] = []
        for name in try inetTables() {
            guard let owner = FirewallTable.passingInterface(name),
                owner == interface || if_nametoindex(owner) == 0, try remove(table: name)
            else { continue }
            removed.append(name)
        }
        return removed
    }
}
