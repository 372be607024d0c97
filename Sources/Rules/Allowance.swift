import Packet

/// The direction of bytes through a rule.
package enum Direction: Hashable, Sendable, CaseIterable {
    /// From end users to targets.
    case inward
    /// From targets to end users.
    case outward
}

/// The remaining allowance of a rule, or of all rules of an owner together, and statistics of rejections and
/// delays.
package struct Allowance: Sendable {
    /// The limit in force.
    package private(set) var limit: RateLimit
    /// The effect of the limit.
    package private(set) var report = LimitReport()

    private var bytesIn: TokenBucket?
    private var bytesOut: TokenBucket?
    private var arrivals: TokenBucket?

    /// An unused allowance.
    package init(_ limit: RateLimit = RateLimit(), at now: Instant) {
        self.limit = limit
        set(limit, at: now)
    }

    /// Changes the limit. Open connections stay, even if they exceed it.
    package mutating func set(_ limit: RateLimit, at now: Instant) {
        self.limit = limit
        Self.set(&bytesIn, rate: limit.bytesIn, burst: limit.burstIn, at: now)
        Self.set(&bytesOut, rate: limit.bytesOut, burst: limit.burstOut, at: now)
        Self.set(
            &arrivals, rate: limit.connectionRate.map(UInt64.init),
            burst: limit.connectionBurst.map(UInt64.init), at: now)
    }

    /// Admits a new connection or UDP flow, or counts the reason for rejecting it: first the owner's limits
    /// apply, then the rule's, each on the number of connections and then on their rate. A rejected connection
    /// uses up nothing of either. An admitted connection has to be followed by `release` of both.
    /// - Returns: the reason for rejecting it; nil if it is admitted.
    package static func admit(
        _ transport: TransportProtocol, rule: inout Allowance, owner: inout Allowance?, at now: Instant
    ) -> RejectReason? {
        let isFlow = transport == .udp
        // Counted only for the owner: a sum over the owner's rules would count it twice.
        if let refused = owner?.refusal(isFlow: isFlow, at: now) {
            let reason = refused.ofOwner
            owner?.report.count(reason)
            return reason
        }
        if let reason = rule.refusal(isFlow: isFlow, at: now) {
            rule.report.count(reason)
            return reason
        }
        rule.use()
        owner?.use()
        return nil
    }

    /// Records the end of a TCP connection or UDP flow.
    package mutating func release() { if report.connections > 0 { report.connections -= 1 } }

    /// Whether bytes in that direction are limited at all.
    package func limits(_ direction: Direction) -> Bool {
        direction == .inward ? bytesIn != nil : bytesOut != nil
    }

    /// The number of bytes that may pass now.
    package mutating func room(_ direction: Direction, at now: Instant) -> Int {
        switch direction {
        case .inward: bytesIn?.tokens(at: now) ?? .max
        case .outward: bytesOut?.tokens(at: now) ?? .max
        }
    }

    /// Counts bytes that passed. Bytes in excess of the allowance delay later ones.
    package mutating func take(_ bytes: Int, _ direction: Direction) {
        switch direction {
        case .inward: bytesIn?.take(bytes)
        case .outward: bytesOut?.take(bytes)
        }
    }

    /// When that many bytes, or the maximum burst if that is smaller, may pass.
    package mutating func ready(for bytes: Int, _ direction: Direction, at now: Instant) -> Instant {
        switch direction {
        case .inward: bytesIn?.ready(for: bytes, at: now) ?? now
        case .outward: bytesOut?.ready(for: bytes, at: now) ?? now
        }
    }

    /// Lets a datagram pass both limits, or neither.
    /// - Returns: whether it may pass.
    package static func passDatagram(
        _ bytes: Int, _ direction: Direction, rule: inout Allowance, owner: inout Allowance?, at now: Instant
    ) -> Bool {
        guard owner?.hasRoom(for: bytes, direction, at: now) != false,
            rule.hasRoom(for: bytes, direction, at: now)
        else { return false }
        owner?.take(bytes, direction)
        rule.take(bytes, direction)
        return true
    }

    /// Counts how long a connection was held back.
    package mutating func countThrottled(_ time: Interval, _ direction: Direction) {
        let microseconds = UInt64(max(0, time.microseconds))
        switch direction {
        case .inward: report.throttledIn &+= microseconds
        case .outward: report.throttledOut &+= microseconds
        }
    }

    private mutating func refusal(isFlow: Bool, at now: Instant) -> RejectReason? {
        if let most = limit.connections, report.connections >= most { return .connections }
        if arrivals?.tokens(at: now) == 0 { return isFlow ? .flowRate : .connectionRate }
        return nil
    }

    private mutating func use() {
        arrivals?.take(1)
        report.connections += 1
    }

    private mutating func hasRoom(for bytes: Int, _ direction: Direction, at now: Instant) -> Bool {
        let burst = direction == .inward ? bytesIn?.burst : bytesOut?.burst
        guard let burst else { return true }
        return burst > 0 && room(direction, at: now) >= min(bytes, Int(burst))
    }

    private static func set(_ bucket: inout TokenBucket?, rate: UInt64?, burst: UInt64?, at now: Instant) {
        guard let rate else {
            bucket = nil
            return
        }
        if bucket == nil {
            bucket = TokenBucket(rate: rate, burst: burst, at: now)
        } else {
            bucket?.set(rate: rate, burst: burst, at: now)
        }
    }
}

extension RejectReason {
    fileprivate var ofOwner: RejectReason {
        switch self {
        case .connections, .ownerConnections: .ownerConnections
        case .connectionRate, .ownerConnectionRate: .ownerConnectionRate
        case .flowRate, .ownerFlowRate: .ownerFlowRate
        }
    }
}
