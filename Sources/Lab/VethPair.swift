/// A pair of veth devices between two namespaces: a link that does nothing to its frames, as fast as the kernel is.
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
    }

    /// The name of the interface at an end.
    public func interface(_ end: LinkEnd) -> String { interfaces[end.rawValue] }
}
