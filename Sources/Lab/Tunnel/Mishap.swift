import Glibc

/// A fault that a tunnel must recover from by itself.
public enum Mishap: String, CaseIterable, Sendable {
    /// The client's daemon is killed (SIGKILL) and started again.
    case clientKilled = "client killed and started again"
    /// The server's daemon is killed (SIGKILL) and started again.
    case serverKilled = "server killed and started again"
    /// The server's daemon is stopped (SIGTERM) and started again.
    case serverRestarted = "server ended and started again"
    /// The client's only uplink disappears for a second, with its addresses.
    case interfaceReplaced = "the only interface deleted and made again"
    /// The address of the client's only uplink changes at once.
    case addressChanged = "the only link's address changed"
    /// The client's daemon is suspended for 3 s (SIGSTOP).
    case clientStopped = "client stopped for 3 s"
    /// The server's daemon is suspended for 3 s (SIGSTOP).
    case serverStopped = "server stopped for 3 s"

    /// The uplinks to try it with: two, unless another one would keep working and hide it.
    public var uplinks: [String] {
        switch self {
        case .interfaceReplaced, .addressChanged: ["fibre=100/10"]
        default: ["fibre=100/10", "lte=50/30"]
        }
    }

    /// Causes the fault, and returns once the tunnel has everything it needs again. Throws the errors of its
    /// actions.
    public func happen(to tunnel: Tunnel, _ client: TunnelClient) throws(LabError) {
        switch self {
        case .clientKilled:
            client.bondd.kill()
            try client.bondd.start()
        case .serverKilled:
            tunnel.server.kill()
            try tunnel.server.start()
        case .serverRestarted:
            tunnel.server.stop()
            try tunnel.server.start()
        case .interfaceReplaced:
            client.links[0].unplug(.client)
            usleep(1_000_000)
            try client.links[0].plug(.client)
        case .addressChanged:
            let link = client.links[0]
            let (old, name) = (link.addresses.ipv4(.client), link.interface(.client))
            let new = old.dropLast() + "7"
            // Neighbors disappear with the last address.
            try client.namespace.ip(
                """
                addr del \(old)/24 dev \(name)
                addr add \(new)/24 dev \(name)
                neigh replace \(link.addresses.ipv4(.server)) lladdr \(link.addresses.mac(.server)) dev \(name) nud permanent
                """)
        case .clientStopped, .serverStopped:
            let bondd = self == .clientStopped ? client.bondd : tunnel.server
            bondd.signal(SIGSTOP)
            usleep(3_000_000)
            bondd.signal(SIGCONT)
        }
    }
}
