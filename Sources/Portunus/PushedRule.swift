import Rules

/// A rule pushed by the control plane, and its translation.
struct PushedRule: Sendable {
    /// The control plane's number for it.
    let number: UInt64
    /// The rule, or why it is invalid. Constraints beyond those of its types are not checked here.
    let rule: Result<Rule, RuleRefusal>

    /// Translates a rule from the wire. Text that may be displayed cannot control a terminal and has a limited
    /// length.
    init(_ message: Portunus_V1_Rule) {
        number = message.ruleID
        rule = Result { () throws(RuleRefusal) in try Self.rule(message) }
    }

    private static func rule(_ message: Portunus_V1_Rule) throws(RuleRefusal) -> Rule {
        guard let ports = range(message.listenPort, message.listenPortEnd) else { throw .rangeInvalid }
        guard message.ownerID.isEmpty || message.ownerID.isIdentifier else { throw .bindFailed(nil) }
        guard message.sniPattern.utf8.count <= longestName, message.sniPattern.utf8.allSatisfy(isPrintable)
        else { throw .modeChangeUnsupported }
        return Rule(
            id: .pushed(message.ruleID),
            // Unknown protocols are TCP, by the contract.
            transport: message.protocol == .udp ? .udp : .tcp,
            ports: ports,
            targets: message.targets.isEmpty
                ? [try target(message, count: ports.count)]
                : try targets(message.targets, count: ports.count),
            listsTargets: !message.targets.isEmpty,
            prefersIPv6: message.preferIpv6,
            probeInterval: Int(min(message.healthCheckIntervalSecs, longestInterval)),
            serverName: message.sniPattern.isEmpty ? nil : message.sniPattern,
            limit: message.hasRateLimit ? RateLimit(message.rateLimit) : RateLimit(),
            owner: message.ownerID.isEmpty ? nil : message.ownerID)
    }

    /// In seconds.
    private static let longestInterval: UInt32 = 3600

    /// A range of ports; nil if it is invalid. 0 as the last one means a single port.
    private static func range(_ first: UInt32, _ last: UInt32) -> ClosedRange<UInt16>? {
        guard let first = UInt16(exactly: first), let last = UInt16(exactly: last), first > 0 else {
            return nil
        }
        guard last > 0 else { return first...first }
        return last >= first && Int(last - first) < Rule.maximumPorts ? first...last : nil
    }

    /// The only target of a rule without a list of them, which has as many ports as the rule.
    private static func target(_ message: Portunus_V1_Rule, count: Int) throws(RuleRefusal) -> RuleTarget {
        guard let port = UInt16(exactly: message.targetPort), port > 0 else { throw .targetInvalidPort(0) }
        guard let ports = range(message.targetPort, message.targetPortEnd), ports.count == count else {
            throw .rangeInvalid
        }
        return RuleTarget(host: try host(message.targetHost), port: port)
    }

    private static func targets(_ messages: [Portunus_V1_Target], count: Int) throws(RuleRefusal)
        -> [RuleTarget]
    {
        // Lists are for single ports.
        guard count == 1 else { throw .rangeInvalid }
        guard messages.count <= Rule.maximumTargets else { throw .invalidTargetHost }
        var targets: [RuleTarget] = []
        for (index, message) in messages.enumerated() {
            guard let port = UInt16(exactly: message.port), port > 0 else { throw .targetInvalidPort(index) }
            targets.append(
                RuleTarget(
                    host: try host(message.host), port: port, priority: message.priority,
                    proxy: ProxyVersion(rawValue: UInt8(clamping: message.proxyProtocol.rawValue))))
        }
        return targets
    }

    /// Maximum length of a name or address in bytes: 253 (RFC 1035), plus a trailing dot or a wildcard's two
    /// characters.
    private static let longestName = 255

    /// Whether it is a visible ASCII character; names and addresses, all of which are displayed, contain no
    /// others.
    private static func isPrintable(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    /// A host without the brackets that IPv6 addresses may have.
    private static func host(_ text: String) throws(RuleRefusal) -> String {
        guard (1...longestName).contains(text.utf8.count), text.utf8.allSatisfy(isPrintable) else {
            throw .invalidTargetHost
        }
        return text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
    }
}

extension RateLimit {
    /// Reads a limit from the wire. 0 means unlimited: a rule that may carry nothing would be removed instead.
    init(_ message: Portunus_V1_RateLimit) {
        func limit<Number: BinaryInteger>(_ number: Number) -> Number? { number == 0 ? nil : number }
        self.init(
            bytesIn: limit(message.bandwidthInBps), bytesOut: limit(message.bandwidthOutBps),
            connectionRate: limit(message.newConnectionsPerSec),
            connections: limit(message.concurrentConnections),
            burstIn: limit(message.bandwidthInBurst), burstOut: limit(message.bandwidthOutBurst),
            connectionBurst: limit(message.newConnectionsBurst))
    }
}

extension Quota {
    /// Reads a quota from the wire. A month that ends before it begins is over.
    init(_ message: Portunus_V1_TrafficQuotaState) {
        let start = message.periodStartedAtUnixSec
        self.init(
            monthlyBytes: message.monthlyBytes, remaining: message.budgetRemainingBytes,
            period: start..<max(start, message.periodEndsAtUnixSec), isExhausted: message.exhausted)
    }
}
