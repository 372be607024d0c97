import Packet

/// Why a rule is carried by this program, not by the kernel. The raw value is what users see.
public enum WayReason: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// The rule, or another one on its port, is for some server names.
    case serverNames = "server names"
    /// There is a choice of targets.
    case severalTargets = "several targets"
    /// It listens on one address of this host.
    case listenAddress = "listen_address"
    /// It has more ports than the kernel counts.
    case manyPorts = "more than 1024 ports"
    /// The target's address has to be found.
    case targetName = "target is a name"
    /// The target is not behind the tunnel.
    case outside = "outside the tunnel"
    /// The target wants to be told the caller's address.
    case proxyHeader = "PROXY header"
    /// The target is probed.
    case probes = "health probes"
    /// The rule has a limit.
    case limit = "rate limit"
    /// Its owner's rules have one together.
    case ownerLimit = "owner's rate limit"
    /// Its owner's rules have a quota.
    case quota = "quota"
    /// The rule has limits of its own for UDP flows.
    case flowLimits = "flow limits"

    /// What users see.
    public var description: String { rawValue }
}

extension Rule {
    /// Why the kernel can't carry the rule; nil: it can.
    /// - Parameters:
    ///   - reach: what is inside the tunnel.
    ///   - ownerIsLimited: whether a limit of the rule's owner limits anything.
    ///   - ownerHasQuota: whether its owner has a quota.
    ///   - portHasNames: whether any rule on its port is for some server names only.
    public func wayReason(
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
