/// A user, a gateway and a host behind it, connected by unlimited veth pairs, to measure a forwarder on the
/// gateway.
public final class ServiceCourse {
    /// The end users' namespace.
    public let user: Namespace
    /// The forwarder's namespace.
    public let gateway: Namespace
    /// The service's namespace.
    public let host: Namespace
    /// The gateway's address as users see it.
    public let gatewayAddress: String
    /// The host's address.
    public let hostAddress: String
    /// For the programs' files.
    let scratch: Scratch
    private let lab: Lab

    /// Creates the course without a forwarder; the gateway also routes, so that the host can be called directly.
    public init() throws(LabError) {
        lab = try Lab(seed: 1, memory: 1 << 20)
        scratch = try Scratch()
        (user, gateway, host) = (
            try lab.namespace("user"), try lab.namespace("gateway"), try lab.namespace("host")
        )
        let front = try lab.veth("front", from: user, to: gateway)
        let back = try lab.veth("back", from: gateway, to: host)
        (gatewayAddress, hostAddress) = (front.addresses.ipv4(.server), back.addresses.ipv4(.server))
        try user.ip("route add \(hostAddress)/32 via \(gatewayAddress)")
        try host.ip("route add default via \(back.addresses.ipv4(.client))")
        try gateway.sysctl("net/ipv4/ip_forward", "1")
        for namespace in [user, gateway, host] {
            // Tens of thousands of short connections from few addresses, many at once. None of the listening
            // ports is in this range.
            try namespace.sysctl("net/ipv4/ip_local_port_range", "6000 65535")
            try namespace.sysctl("net/ipv4/tcp_tw_reuse", "1")
            try namespace.sysctl("net/core/somaxconn", "8192")
            try namespace.sysctl("net/ipv4/tcp_max_syn_backlog", "8192")
        }
    }

    /// Ends all programs in it.
    public func close() { lab.close() }
}
