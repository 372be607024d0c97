import Packet

extension Rule {
    /// Why the rule can never be carried, regardless of other rules; nil if it can. PROXY headers of UDP
    /// targets are ignored, and probe intervals outside `TargetOrder.probeIntervals` are clamped.
    /// - Parameter reach: the addresses inside the tunnel.
    public func refusal(reach: Reach) -> RuleRefusal? {
        guard ports.lowerBound > 0, ports.count <= Self.maximumPorts else { return .rangeInvalid }
        if ports.count > 1 && (listsTargets || targets.count > 1) { return .rangeInvalid }
        guard (1...Self.maximumTargets).contains(targets.count) else { return .invalidTargetHost }
        if let refusal = nameRefusal { return refusal }
        var seen: Set<RuleTarget> = []
        for (index, target) in targets.enumerated() {
            guard target.port > 0 else { return .targetInvalidPort(index) }
            guard Int(target.port) + ports.count - 1 <= UInt16.max else { return .rangeInvalid }
            guard let host = canonicalHost(of: target, reach: reach),
                seen.insert(RuleTarget(host: host, port: target.port)).inserted
            else { return .invalidTargetHost }
        }
        return nil
    }

    private var nameRefusal: RuleRefusal? {
        guard let serverName else { return nil }
        // The control plane has no code for an invalid pattern.
        guard transport == .tcp, ports.count == 1, NamePattern(serverName) != nil else {
            return .modeChangeUnsupported
        }
        return nil
    }

    private func canonicalHost(of target: RuleTarget, reach: Reach) -> String? {
        guard let address = IPAddress(target.host) else { return HostName.canonical(target.host[...]) }
        return mayDial(address, reach: reach) ? address.description : nil
    }
}
