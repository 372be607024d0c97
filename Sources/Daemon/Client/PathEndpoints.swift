import Host
import Packet
import Settings

/// The server's endpoints that one interface can send to, preferred first, or why there are none.
package struct PathEndpoints: Equatable {
    /// In the order in which they are tried.
    package let usable: [Endpoint]
    /// Why no endpoint is routed, one sentence with the remedy.
    let problem: String?

    /// - Parameters:
    ///   - wanted: the server's endpoints, preferred first.
    ///   - addresses: the interface's addresses that packets may leave from.
    ///   - routes: the host's routes through it.
    ///   - gateways: the routers from the configuration.
    ///   - translators: the prefixes by which its network may translate to IPv4; the well-known one is always
    ///     tried.
    package init(
        wanted: [Endpoint], interface: String, addresses: [IPAddress], routes: [NetworkRoute],
        gateways: [IPAddress], translators: [NAT64]
    ) {
        func isRouted(_ address: IPAddress) -> Bool {
            gateways.contains { $0.family == address.family }
                || routes.contains { $0.network.contains(address) }
        }
        let reachable = wanted.filter { Self.source(for: $0, among: addresses) != nil }
        let routed = reachable.filter { isRouted($0.address) }
        var usable = routed.isEmpty ? reachable : routed
        if !routed.contains(where: { $0.address.family == .v4 }) {
            let translated = Self.translated(wanted, translators).filter {
                Self.source(for: $0, among: addresses) != nil && isRouted($0.address)
            }
            usable = routed + translated + (routed.isEmpty ? reachable : [])
        }
        self.usable = usable
        problem =
            usable.isEmpty || routed.isEmpty && usable == reachable
            ? Self.problem(wanted, interface, addresses, isRouted) : nil
    }

    /// The address among `addresses` from which an endpoint can be reached; never a link-local one unless the
    /// endpoint is.
    static func source(for endpoint: Endpoint, among addresses: [IPAddress]) -> IPAddress? {
        addresses.first {
            $0.family == endpoint.address.family && $0.isLinkLocal == endpoint.address.isLinkLocal
        }
    }

    private static func translated(_ wanted: [Endpoint], _ translators: [NAT64]) -> [Endpoint] {
        let prefixes = translators + (translators.contains(.wellKnown) ? [] : [.wellKnown])
        return wanted.flatMap { endpoint in
            prefixes.compactMap { prefix in
                prefix.address(for: endpoint.address).map { Endpoint(address: $0, port: endpoint.port) }
            }
        }
    }

    private static func problem(
        _ wanted: [Endpoint], _ interface: String, _ addresses: [IPAddress],
        _ isRouted: (IPAddress) -> Bool
    ) -> String? {
        guard let first = wanted.first else { return nil }
        let families = Set(wanted.map(\.address.family))
        let own = Set(addresses.filter { !$0.isLinkLocal }.map(\.family))
        guard !own.isEmpty else {
            return "\(interface) has no address; check its DHCP client or give it one"
        }
        guard !own.isDisjoint(with: families) else {
            let (has, needs) = own.contains(.v6) ? ("IPv6", "IPv4") : ("IPv4", "IPv6")
            return
                "\(interface) has only \(has), and the server's endpoints are \(needs); add the server's \(has) address to [server] endpoints"
        }
        guard !wanted.contains(where: { own.contains($0.address.family) && isRouted($0.address) }) else {
            return nil
        }
        return
            "\(interface) has no route to \(first.address); add a default route, or name the router as gateway in [[path]]"
    }
}
