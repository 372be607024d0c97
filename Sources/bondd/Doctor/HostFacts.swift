import Host
import Packet
import Settings

/// The host's interfaces, addresses and routes as they are now, for checks that only judge.
struct HostFacts {
    /// An address and the interface that has it.
    struct Address: Equatable {
        let interface: String
        let network: CIDR
    }

    var interfaces: [NetworkInterface] = []
    var addresses: [Address] = []
    var routes: [NetworkRoute] = []
    /// Interfaces of running bondds, as `RoutingTable.short`.
    var tunnels: Set<UInt32> = []

    /// A host without a network.
    init() {}

    /// The kernel's current state; empty if it can't be read.
    static var now: HostFacts {
        guard let netlink = try? Netlink(), let facts = try? HostFacts(netlink) else { return HostFacts() }
        return facts
    }

    /// Reads everything from the kernel.
    init(_ netlink: borrowing Netlink) throws(HostError) {
        interfaces = try netlink.interfaces()
        for interface in interfaces {
            for address in try netlink.addresses(ofInterface: interface.index) {
                addresses.append(Address(interface: interface.name, network: address))
            }
        }
        routes = try netlink.routes()
        tunnels = (try? HostRouting.owners(netlink)) ?? []
    }

    func interface(named name: String) -> NetworkInterface? { interfaces.first { $0.name == name } }

    func name(of index: UInt32) -> String { interfaces.first { $0.index == index }?.name ?? "\(index)" }

    /// The interface of the best IPv4 default route in the main table.
    var preferredUplink: String? {
        routes.filter {
            $0.table == NetworkRoute.mainTable && $0.kind == .unicast && $0.network.length == 0
                && $0.network.address.family == .v4
        }.min { $0.metric < $1.metric }.map { name(of: $0.interface) }
    }

    /// The interfaces that lead to the server: those in the configuration, or those that the daemon would
    /// find.
    func uplinks(of client: Configuration.Client, tunnel: String) -> [String] {
        if !client.paths.isEmpty {
            return client.paths.map(\.interface).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
        var besides = tunnels
        if let own = interface(named: tunnel) { besides.insert(RoutingTable.short(own.index)) }
        return Uplink.find(in: interfaces, routes: routes, discovery: client.discovery, besides: besides)
            .map(\.interface.name)
    }
}
