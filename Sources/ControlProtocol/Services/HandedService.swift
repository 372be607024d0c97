/// A rule that bondd carries in the kernel: ports of this host that lead to an address in the tunnel. bondd-control hands all of
/// them over each time one changes; bondd changes what differs at once and keeps them in a file (0600), so that it starts with
/// them alone.
public struct HandedService: Hashable, Sendable, Codable {
    /// Names it between bondd and bondd-control; no two have the same.
    public var rule: String
    /// `tcp` or `udp`.
    public var transport: String
    /// The first port that it listens on.
    public var firstPort: Int
    /// The last port that it listens on.
    public var lastPort: Int
    /// An IPv4 or IPv6 address.
    public var target: String
    /// The port that the first leads to; the others follow by their offset.
    public var targetPort: Int
    /// False: what is established goes on, and nothing new begins. What is established ends when the service is not handed over
    /// any more.
    public var accepts: Bool

    private enum CodingKeys: String, CodingKey {
        case rule, transport, target, accepts
        case firstPort = "first_port"
        case lastPort = "last_port"
        case targetPort = "target_port"
    }

    /// A service.
    public init(
        rule: String, transport: String, firstPort: Int, lastPort: Int, target: String, targetPort: Int,
        accepts: Bool = true
    ) {
        self.rule = rule
        self.transport = transport
        self.firstPort = firstPort
        self.lastPort = lastPort
        self.target = target
        self.targetPort = targetPort
        self.accepts = accepts
    }
}
