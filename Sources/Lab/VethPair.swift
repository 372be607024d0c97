import Glibc

/// A pair of veth devices between two namespaces: a link without any impairment, at the kernel's full speed.
public struct VethPair: Sendable {
    /// The fixed addresses of both ends.
    public let addresses: LinkAddresses
    private let interfaces: [String]

    init(
        name: String, serverInterface: String, addresses: LinkAddresses, mtu: Int, from: Namespace,
        to: Namespace
    ) throws(LabError) {
        self.addresses = addresses
        interfaces = [name, serverInterface]
        try from.ip("link add name \(name) type veth peer name \(serverInterface) netns \(to.path)")
        try from.ip(addresses.setUp(name, at: .client, mtu: mtu, withIPv6: from.hasIPv6))
        try to.ip(addresses.setUp(serverInterface, at: .server, mtu: mtu, withIPv6: to.hasIPv6))
        // A veth has carrier only once both ends are up, which the kernel notices with a delay; IPv6 routes
        // wait for it.
        for (namespace, interface) in [(from, name), (to, serverInterface)] {
            try Self.waitUntilUp(interface, in: namespace)
        }
    }

    private static func waitUntilUp(_ interface: String, in namespace: Namespace) throws(LabError) {
        for _ in 0..<300 {
            if try namespace.ip("link show dev \(interface)").contains("state UP") { return }
            usleep(5000)
        }
        throw .deadline(waitingFor: "the carrier of '\(interface)'", seconds: 3)
    }

    /// The name of the interface at an end.
    public func interface(_ end: LinkEnd) -> String { interfaces[end.rawValue] }
}
