/// A user, a gateway and a host behind it, over veth pairs without limits: what a program does that forwards on the gateway.
public final class ServiceCourse {
    /// Where end users are.
    public let user: Namespace
    /// Where the program forwards.
    public let gateway: Namespace
    /// Where the service is.
    public let host: Namespace
    /// The gateway's address as users see it.
    public let gatewayAddress: String
    /// The host's address.
    public let hostAddress: String
    /// For the programs' files.
    let scratch: Scratch
    private let lab: Lab

    /// Without a program; the gateway also routes, so that the host can be called without one.
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
            // Tens of thousands of connections that come and go from few addresses, many at once.
            // None of the ports that somebody listens on is among theirs.
            try namespace.sysctl("net/ipv4/ip_local_port_range", "6000 65535")
            try namespace.sysctl("net/ipv4/tcp_tw_reuse", "1")
            try namespace.sysctl("net/core/somaxconn", "8192")
            try namespace.sysctl("net/ipv4/tcp_max_syn_backlog", "8192")
        }
    }

    /// Ends all programs on it.
    public func close() { lab.close() }
}
