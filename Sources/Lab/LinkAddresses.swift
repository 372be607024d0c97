/// The fixed addresses of the lab's link number `index`: 10.(100+index).0.1/24 and fd00:(100+index)::1/64 at
/// the client, .2 and ::2 at the server. MACs are fixed too, so that neighbors are static and no ARP is
/// affected by loss.
public struct LinkAddresses: Equatable, Sendable {
    /// The link's number in its lab, 0...155.
    public let index: Int

    init(index: Int) throws(LabError) {
        guard index <= 155 else { throw .tooManyLinks }
        self.index = index
    }

    /// The IPv4 address of an end, without prefix length.
    public func ipv4(_ end: LinkEnd) -> String { "10.\(100 + index).0.\(end.rawValue + 1)" }
    /// The IPv6 address of an end, without prefix length.
    public func ipv6(_ end: LinkEnd) -> String { "fd00:\(100 + index)::\(end.rawValue + 1)" }
    /// The MAC address of an end (locally administered).
    public func mac(_ end: LinkEnd) -> String {
        let byte = String(index, radix: 16)
        return "02:b0:00:00:\(byte.count < 2 ? "0" : "")\(byte):0\(end.rawValue + 1)"
    }

    /// The commands for `ip -batch` that set up `interface` at an end. IPv6 creates no address of its own and
    /// runs no duplicate address detection, to avoid unrequested traffic.
    func setUp(_ interface: String, at end: LinkEnd, mtu: Int, withIPv6: Bool) -> String {
        var lines = [
            "link set dev \(interface) address \(mac(end)) mtu \(mtu) txqueuelen 10000",
            "link set dev \(interface) up",
            "addr add \(ipv4(end))/24 dev \(interface)",
            "neigh replace \(ipv4(end.other)) lladdr \(mac(end.other)) dev \(interface) nud permanent",
        ]
        if withIPv6 {
            lines.insert("link set dev \(interface) addrgenmode none", at: 1)
            lines.append("addr add \(ipv6(end))/64 dev \(interface) nodad")
            lines.append(
                "neigh replace \(ipv6(end.other)) lladdr \(mac(end.other)) dev \(interface) nud permanent")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
