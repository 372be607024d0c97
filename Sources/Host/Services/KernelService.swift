import Packet

/// Ports of this host that the kernel leads to an address in the tunnel.
public struct KernelService: Hashable, Sendable {
    /// Names it; no two have the same.
    public var name: String
    /// What it carries.
    public var transport: TransportProtocol
    /// The ports that users see.
    public var ports: ClosedRange<UInt16>
    /// Where to.
    public var target: IPAddress
    /// The port that the first leads to; the others follow by their offset.
    public var targetPort: UInt16
    /// False: what is established goes on, and nothing new begins.
    public var accepts: Bool

    /// A service.
    /// - Precondition: the target has as many ports from `targetPort` on as `ports`.
    public init(
        name: String, transport: TransportProtocol, ports: ClosedRange<UInt16>, target: IPAddress,
        targetPort: UInt16,
        accepts: Bool
    ) {
        precondition(Int(targetPort) + ports.count - 1 <= Int(UInt16.max))
        (self.name, self.transport, self.ports) = (name, transport, ports)
        (self.target, self.targetPort, self.accepts) = (target, targetPort, accepts)
    }

    /// Its connections, a port each.
    public var connections: [ServiceConnection] {
        ports.map { port in
            ServiceConnection(
                transport: transport.rawValue, port: port, target: target,
                targetPort: targetPort + (port - ports.lowerBound))
        }
    }
}

/// What all connections of one port of a service have in common. The target is part of it: what is established with a
/// target that a port no longer leads to is not taken for the new one's.
public struct ServiceConnection: Hashable, Sendable {
    /// The protocol's number in IP.
    public var transport: UInt8
    /// The port that users see.
    public var port: UInt16
    /// Where to.
    public var target: IPAddress
    /// The port there.
    public var targetPort: UInt16

    /// What a set of the firewall has of it.
    var key: [UInt8] {
        var key: [UInt8] = []
        key.append(transport: transport)
        key.append(port: port)
        key.append(target)
        key.append(port: targetPort)
        return key
    }
}
