/// The kernel's Multipath TCP (RFC 8684) over emulated links, set up without a tunnel: the client offers a
/// subflow over each of its links, all of them to the server's address on the first.
public enum MultipathTCP {
    /// Why it is unavailable in a namespace, in one sentence; nil if it is available.
    public static func obstacle(in namespace: Namespace) -> String? {
        do throws(LabError) {
            try namespace.sysctl("net/mptcp/enabled", "1")
            try namespace.run(["mptcpize", "run", "true"])
            try namespace.ip("mptcp limits show")
        } catch {
            return error.description
        }
        return nil
    }

    /// Lets the client of `links` use all of them, and its server accept them. Throws `failed`.
    public static func setUp(_ links: [EmulatedLink]) throws(LabError) {
        guard let first = links.first else { return }
        let (client, server) = (first.namespace(.client), first.namespace(.server))
        // Eight is the kernel's maximum.
        for namespace in [client, server] {
            try namespace.ip("mptcp limits set subflows 8 add_addr_accepted 8")
        }
        for link in links {
            let (own, far) = (link.addresses.ipv4(.client), link.addresses.ipv4(.server))
            let (interface, table) = (link.interface(.client), 100 + link.addresses.index)
            try client.ip(
                """
                route add default via \(far) dev \(interface) table \(table)
                rule add from \(own) table \(table)
                mptcp endpoint add \(own) dev \(interface) subflow
                """)
        }
    }

    /// The number of subflows that joined connections of a namespace so far, not counting the first of each
    /// (MPJoinSynAckRx of /proc/net/netstat). Throws like `Namespace.run`.
    public static func joins(in namespace: Namespace) throws(LabError) -> Int {
        let lines = try namespace.run(["cat", "/proc/net/netstat"]).split(separator: "\n")
            .filter { $0.hasPrefix("MPTcpExt:") }.map { $0.split(separator: " ") }
        guard lines.count == 2, let column = lines[0].firstIndex(of: "MPJoinSynAckRx"),
            column < lines[1].count
        else { return 0 }
        return Int(lines[1][column]) ?? 0
    }
}
