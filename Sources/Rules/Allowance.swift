import Packet

/// Which way bytes go through a rule.
public enum Direction: Hashable, Sendable, CaseIterable {
    /// From end users to targets.
    case inward
    /// From targets to end users.
    case outward
}

/// What a rule, or all rules of an owner together, may still take, and what was turned away and held back for it.
public struct Allowance: Sendable {
    /// The limit that is kept.
    public private(set) var limit: RateLimit
    /// What the limit did.
    public private(set) var report = LimitReport()

    private var bytesIn: TokenBucket?
    private var bytesOut: TokenBucket?
    private var arrivals: TokenBucket?

    /// An allowance of which nothing is used.
    public init(_ limit: RateLimit = RateLimit(), at now: Instant) {
        self.limit = limit
        set(limit, at: now)
    }

    /// Changes the limit. Connections that are open stay, more than it allows, too.
    public mutating func set(_ limit: RateLimit, at now: Instant) {
        self.limit = limit
        Self.set(&bytesIn, rate: limit.bytesIn, burst: limit.burstIn, at: now)
        Self.set(&bytesOut, rate: limit.bytesOut, burst: limit.burstOut, at: now)
        Self.set(
            &arrivals, rate: limit.connectionRate.map(UInt64.init),
            burst: limit.connectionBurst.map(UInt64.init), at: now)
    }

    /// Lets a new connection or UDP flow in, or counts why not: the owner's limit is asked first, then the rule's, each for how
    /// many there are and then for how fast they come. What is turned away uses up nothing of either. A connection that was let in
    /// has to be followed by `release` of both.
    /// - Returns: why not; nil: it may come.
    public static func admit(
        _ transport: TransportProtocol, rule: inout Allowance, owner: inout Allowance?, at now: Instant
    ) -> RejectReason? {
        let isFlow = transport == .udp
        // Counted for the owner alone: a sum over the owner's rules would have it twice.
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

    /// A TCP connection or a UDP flow has ended.
    public mutating func release() { if report.connections > 0 { report.connections -= 1 } }

    /// Whether bytes that way are limited at all.
    public func limits(_ direction: Direction) -> Bool {
        direction == .inward ? bytesIn != nil : bytesOut != nil
    }

    /// How many bytes may pass now.
    public mutating func room(_ direction: Direction, at now: Instant) -> Int {
        switch direction {
        case .inward: bytesIn?.tokens(at: now) ?? .max
        case .outward: bytesOut?.tokens(at: now) ?? .max
        }
    }

    /// Counts bytes that passed. More than there was room for delay those that follow.
    public mutating func take(_ bytes: Int, _ direction: Direction) {
        switch direction {
        case .inward: bytesIn?.take(bytes)
        case .outward: bytesOut?.take(bytes)
        }
    }

    /// When that many bytes may pass, or as many as may at once.
    public mutating func ready(for bytes: Int, _ direction: Direction, at now: Instant) -> Instant {
        switch direction {
        case .inward: bytesIn?.ready(for: bytes, at: now) ?? now
        case .outward: bytesOut?.ready(for: bytes, at: now) ?? now
        }
    }

    /// Lets a datagram pass both limits, or neither.
    /// - Returns: whether it may.
    public static func passDatagram(
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
    public mutating func countThrottled(_ time: Interval, _ direction: Direction) {
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
