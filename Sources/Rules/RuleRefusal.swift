import Packet

/// Why a rule cannot be carried. `description` is the control plane's code for it; the control plane stores it
/// and never retries, so temporary conditions are not reported to it: here, `addressMissing` and
/// `outOfDescriptors`.
package enum RuleRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The port is used by another program or rule; for a range, the port's number.
    case portInUse(UInt16?)
    /// This program may not listen on the port.
    case permissionDenied(UInt16?)
    /// The kernel refuses the port for another reason.
    case bindFailed(UInt16?)
    /// This host does not have the address that the rule listens on. It may get it later, so the rule is retried.
    case addressMissing(IPAddress)
    /// Descriptors or memory are exhausted, or the relay was stopped. This is temporary: it is not reported to
    /// the control plane, and the rule is retried.
    case outOfDescriptors
    /// The range of ports is empty, too large, or differs in size from the target's.
    case rangeInvalid
    /// A target is neither an address nor a name, or is outside the tunnel.
    case invalidTargetHost
    /// The target at that index has no port.
    case targetInvalidPort(Int)
    /// The server name conflicts with other rules on the port.
    case modeChangeUnsupported
    /// Another rule has the number.
    case duplicateRuleID
    /// The limit on rules from a control plane has been reached.
    case tooMany
    /// There is no rule with that number.
    case unknownRuleID

    /// The control plane's code.
    package var description: String {
        switch self {
        case .portInUse(let port): "port_in_use" + Self.suffix(port)
        case .permissionDenied(let port): "permission_denied" + Self.suffix(port)
        case .bindFailed(let port): "bind_failed" + Self.suffix(port)
        case .outOfDescriptors, .addressMissing: "bind_failed"
        case .rangeInvalid: "range_invalid"
        case .invalidTargetHost: "invalid_target_host"
        case .targetInvalidPort(let index): "target_invalid_port:\(index)"
        case .modeChangeUnsupported: "mode_change_unsupported"
        case .duplicateRuleID: "duplicate_rule_id"
        case .tooMany: "too_many_rules"
        case .unknownRuleID: "unknown_rule_id"
        }
    }

    private static func suffix(_ port: UInt16?) -> String { port.map { ":\($0)" } ?? "" }
}

extension Rule {
    /// Why the rule can never be carried, regardless of other rules; nil if it can. PROXY headers of UDP
    /// targets are ignored, and probe intervals outside `TargetOrder.probeIntervals` are clamped.
    /// - Parameter reach: the addresses inside the tunnel.
    package func refusal(reach: Reach) -> RuleRefusal? {
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
