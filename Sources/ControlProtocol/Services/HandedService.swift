/// A rule that bondd carries in the kernel: ports of this host that are redirected to an address in the tunnel.
/// bondd-control hands over all of them after each change; bondd applies the differences at once and keeps the
/// services in a file (0600), so that it can start without bondd-control.
package struct HandedService: Hashable, Sendable, Codable {
    /// Identifies it between bondd and bondd-control; unique.
    package var rule: String
    /// `tcp` or `udp`.
    package var transport: String
    /// The first port it listens on.
    package var firstPort: Int
    /// The last port it listens on.
    package var lastPort: Int
    /// The target's IPv4 or IPv6 address.
    package var target: String
    /// The target port for the first port; the others follow at the same offset.
    package var targetPort: Int
    /// Whether new connections are accepted; if false, only established ones continue. They end once the
    /// service is no longer handed over.
    package var accepts: Bool

    private enum CodingKeys: String, CodingKey {
        case rule, transport, target, accepts
        case firstPort = "first_port"
        case lastPort = "last_port"
        case targetPort = "target_port"
    }

    /// A service.
    package init(
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
