import CNetlink
import Glibc
import Packet

// Maintains the services' table.
extension FirewallSocket {
    /// Creates the services' table with its elements, replacing any previous one.
    package borrowing func replace(
        _ table: FirewallTable, of services: [KernelService]
    ) throws(HostError) {
        try replace(table, FirewallTable.elements(of: services))
    }

    /// Atomically applies the difference between two handovers; counters and connections of unchanged services
    /// are untouched.
    /// - Parameter replacingRules: whether the table's rules differ, too.
    /// - Throws: `HostError.firewall` if another program changed the table in the meantime; nothing has changed
    ///   then.
    package borrowing func change(
        _ table: FirewallTable, from old: [KernelService], to new: [KernelService], replacingRules: Bool
    ) throws(HostError) {
        let (before, after) = (FirewallTable.elements(of: old), FirewallTable.elements(of: new))
        try change(
            table, removing: before.subtracting(after), adding: after.subtracting(before),
            replacingRules: replacingRules)
    }

    /// Adds elements to sets of a table.
    borrowing func add(_ elements: FirewallElements, to table: String) throws(HostError) {
        try change(FirewallTable(name: table, chains: []), removing: [:], adding: elements)
    }

    /// Whether the services' table exists and redirects the expected number of ports.
    package borrowing func holds(_ table: FirewallTable, of services: [KernelService]) -> Bool {
        guard holds(table) else { return false }
        let wanted = FirewallTable.elements(of: services)
        for family in [IPAddress.Family.v4, .v6] {
            let set = FirewallTable.ServiceSet.targets(family)
            guard has(wanted[set]?.count ?? 0, in: set, table: table.name) else { return false }
        }
        return true
    }

    /// Whether a set has this many elements. While the kernel resizes a large set that has just grown, a
    /// listing may omit some or repeat some, so a wrong number is checked again.
    private borrowing func has(_ wanted: Int, in set: String, table: String) -> Bool {
        for _ in 0..<4 {
            var count = 0
            do throws(HostError) {
                try elements(of: set, table: table) { _ in count += 1 }
            } catch {
                return false
            }
            if count == wanted { return true }
            usleep(10_000)
        }
        return false
    }

    /// The traffic of each service's ports since the table was created.
    borrowing func serviceTraffic(
        table: String, of services: [KernelService]
    ) throws(HostError) -> [ServiceConnection: ServiceTraffic] {
        var connections: [[UInt8]: ServiceConnection] = [:]
        for connection in services.flatMap(\.connections) { connections[connection.key] = connection }
        var traffic: [ServiceConnection: ServiceTraffic] = [:]
        for family in [IPAddress.Family.v4, .v6] {
            try elements(of: FirewallTable.ServiceSet.inbound(family), table: table) { element in
                guard let connection = connections[element.key] else { return }
                traffic[connection, default: ServiceTraffic()].packetsIn = Int(
                    clamping: element.count.packets)
                traffic[connection, default: ServiceTraffic()].bytesIn = Int(clamping: element.count.bytes)
            }
            try elements(of: FirewallTable.ServiceSet.outbound(family), table: table) { element in
                guard let connection = connections[element.key] else { return }
                traffic[connection, default: ServiceTraffic()].packetsOut = Int(
                    clamping: element.count.packets)
                traffic[connection, default: ServiceTraffic()].bytesOut = Int(clamping: element.count.bytes)
            }
        }
        return traffic
    }

    /// A set element as listed by the kernel.
    struct Element {
        var key: [UInt8]
        var data: [UInt8]
        /// The packets and bytes counted.
        var count: Count
    }

    /// Passes on a set's elements one by one.
    borrowing func elements(
        of set: String, table: String, _ body: (Element) -> Void
    ) throws(HostError) {
        try listElements(of: set, family: FirewallBatch.inet, table: table) { body(Element($0)) }
    }
}

extension FirewallSocket.Element {
    /// Reads a `nftnl_set_elem`.
    fileprivate init(_ element: OpaquePointer) {
        key = FirewallSocket.bytes(NFTNL_SET_ELEM_KEY, of: element)
        data = FirewallSocket.bytes(NFTNL_SET_ELEM_DATA, of: element)
        count = FirewallSocket.Count()
        withUnsafeMutablePointer(to: &count) { count in
            _ = nftnl_set_elem_expr_foreach(
                element,
                { expression, count in
                    guard let expression, let count,
                        let name = nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_NAME)),
                        String(cString: name) == "counter"
                    else { return 0 }
                    count.assumingMemoryBound(to: FirewallSocket.Count.self).pointee = FirewallSocket.Count(
                        packets: nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_PACKETS)),
                        bytes: nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_BYTES)))
                    return 0
                }, count)
        }
    }
}
