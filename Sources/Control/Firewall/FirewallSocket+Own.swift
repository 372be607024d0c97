import CNetlink

// What becomes of our own tables.
extension FirewallSocket {
    /// Packets and bytes that rules have counted.
    public struct Count: Hashable, Sendable {
        /// How many packets.
        public var packets: UInt64 = 0
        /// How many bytes of IP packets.
        public var bytes: UInt64 = 0
    }

    /// Whether the table is there with as many rules as it should have.
    public borrowing func holds(_ table: FirewallTable) -> Bool {
        guard let names = try? inetTables(), names.contains(table.name),
            let rules = try? rules(family: FirewallBatch.inet, table: table.name)
        else { return false }
        return rules.count == table.ruleCount
    }

    /// What the rules of a table have counted since it was set, by the name they count under.
    public borrowing func counts(table: String) throws(ControlError) -> [String: Count] {
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

    /// Removes the kill switches of all tunnels of this host, whether a daemon runs or not.
    /// - Returns: their tables' names.
    public borrowing func liftKillSwitches() throws(ControlError) -> [String] {
        var lifted: [String] = []
        for name in try inetTables() where FirewallTable.isKillSwitch(name) {
            if try remove(table: name) { lifted.append(name) }
        }
        return lifted
    }
}
