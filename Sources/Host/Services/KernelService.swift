import Packet

/// Ports of this host that the kernel redirects to an address in the tunnel.
package struct KernelService: Hashable, Sendable {
    /// The service's name, unique among the services.
    package var name: String
    /// The transport protocol.
    package var transport: TransportProtocol
    /// The ports that users see.
    package var ports: ClosedRange<UInt16>
    /// The target's address.
    package var target: IPAddress
    /// The target port for the first port; the others follow at the same offset.
    package var targetPort: UInt16
    /// Whether new connections are accepted; if false, only established ones continue.
    package var accepts: Bool

    /// A service with as many target ports as ports.
    /// - Precondition: the target ports, from `targetPort` on, fit below 65536.
    package init(
        name: String, transport: TransportProtocol, ports: ClosedRange<UInt16>, target: IPAddress,
        targetPort: UInt16,
        accepts: Bool
    ) {
        precondition(Int(targetPort) + ports.count - 1 <= Int(UInt16.max))
        (self.name, self.transport, self.ports) = (name, transport, ports)
        (self.target, self.targetPort, self.accepts) = (target, targetPort, accepts)
    }

    /// Its connections, one entry for each port.
    package var connections: [ServiceConnection] {
        ports.map { port in
            ServiceConnection(
                transport: transport.rawValue, port: port, target: target,
                targetPort: targetPort + (port - ports.lowerBound))
        }
    }
}

/// The properties common to all connections of one port of a service. The target is one of them: connections
/// established with a previous target are not attributed to the new one.
package struct ServiceConnection: Hashable, Sendable {
    /// The IP protocol number.
    package var transport: UInt8
    /// The port that users see.
    package var port: UInt16
    /// The target's address.
    package var target: IPAddress
    /// The target's port.
    package var targetPort: UInt16

    /// The key in the firewall's sets.
    var key: [UInt8] {
        var key: [UInt8] = []
        key.append(transport: transport)
        key.append(port: port)
        key.append(target)
        key.append(port: targetPort)
        return key
    }
}
