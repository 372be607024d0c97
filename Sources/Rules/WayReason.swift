import Packet

/// Why a rule is carried by this program rather than by the kernel. The raw value is shown to users.
package enum WayReason: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// The rule, or another one on its port, has a server name.
    case serverNames = "server names"
    /// It has several targets.
    case severalTargets = "several targets"
    /// It listens on a single address of this host.
    case listenAddress = "listen_address"
    /// It has more ports than the kernel counts.
    case manyPorts = "more than 1024 ports"
    /// The target is a name, which has to be resolved.
    case targetName = "target is a name"
    /// The target is not behind the tunnel.
    case outside = "outside the tunnel"
    /// The target expects a PROXY header.
    case proxyHeader = "PROXY header"
    /// The target is probed.
    case probes = "health probes"
    /// The rule has a limit.
    case limit = "rate limit"
    /// Its owner's rules share a rate limit.
    case ownerLimit = "owner's rate limit"
    /// Its owner's rules share a quota.
    case quota = "quota"
    /// The rule has its own limits on UDP flows.
    case flowLimits = "flow limits"

    /// The text shown to users.
    package var description: String { rawValue }
}

extension Rule {
    /// Why the kernel cannot carry the rule; nil if it can.
    /// - Parameters:
    ///   - reach: the addresses inside the tunnel.
    ///   - ownerIsLimited: whether the rule's owner has an effective limit.
    ///   - ownerHasQuota: whether its owner has a quota.
    ///   - portHasNames: whether any rule on its port has a server name.
    package func wayReason(
        reach: Reach, ownerIsLimited: Bool, ownerHasQuota: Bool, portHasNames: Bool
    ) -> WayReason? {
        if serverName != nil || portHasNames && transport == .tcp { return .serverNames }
        if listenAddress != nil { return .listenAddress }
        if ports.count > Self.maximumKernelPorts { return .manyPorts }
        guard targets.count == 1, let target = targets.first else { return .severalTargets }
        guard let address = IPAddress(target.host) else { return .targetName }
        if !reach.contains(address) { return .outside }
        if target.proxy != nil && transport == .tcp { return .proxyHeader }
        if probeInterval > 0 { return .probes }
        if !limit.isUnlimited { return .limit }
        if ownerIsLimited { return .ownerLimit }
        if ownerHasQuota { return .quota }
        if transport == .udp && (maximumFlows != nil || flowIdle != nil) { return .flowLimits }
        return nil
    }
}
