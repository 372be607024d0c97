import Packet

/// What the names of targets mean: addresses for as long as DNS says, within bounds; after that, while DNS fails, the old ones a
/// little longer; and that a name means nothing, so that not every connection asks again. The caller does the asking.
public struct NameCache: Sendable {
    /// What is to be done about a name.
    public enum Answer: Hashable, Sendable {
        /// Use these.
        case addresses([IPAddress])
        /// It was asked for just now, in vain.
        case unknown
        /// Ask DNS, and tell `resolve` or `fail` in any case.
        case ask
        /// Somebody asks already.
        case wait
    }

    private struct Entry: Sendable {
        var addresses: [IPAddress] = []
        /// Until when the addresses are good.
        var expiry = Instant.zero
        /// Until when nobody asks again after a failure.
        var retry = Instant.zero
        /// When somebody began to ask.
        var asked: Instant?
    }

    private var entries: [String: Entry] = [:]
    private let capacity: Int

    /// How long addresses are good, in seconds, whatever DNS says.
    public static let lifetimes: ClosedRange<Int64> = 5...300
    /// How long addresses are used after that, while DNS fails.
    public static let grace = Interval.seconds(30)
    /// How long a failure is remembered.
    public static let negativeLifetime = Interval.seconds(3)
    /// An answer that has not come by then never will: thrice what a lookup may take.
    private static let patience = Interval.seconds(9)

    /// Knows nothing.
    /// - Parameter capacity: how many names it remembers.
    public init(capacity: Int = 4096) { self.capacity = max(1, capacity) }

    /// How many names are remembered.
    public var count: Int { entries.count }

    /// What a name means.
    public mutating func look(up name: String, at now: Instant) -> Answer {
        let key = name.lowercased()
        if entries[key] == nil {
            guard entries.count < capacity || makeRoom(at: now) else { return .unknown }
        }
        var entry = entries[key] ?? Entry()
        if now < entry.expiry { return .addresses(entry.addresses) }
        if let asked = entry.asked, now - asked < Self.patience { return .wait }
        if now < entry.retry { return stale(entry, at: now).map(Answer.addresses) ?? .unknown }
        entry.asked = now
        entries[key] = entry
        return .ask
    }

    /// DNS answered. No addresses are a failure.
    /// - Parameter lifetime: the answer's TTL, in seconds.
    /// - Returns: what to use; nil: nothing.
    @discardableResult
    public mutating func resolve(
        _ name: String, to addresses: [IPAddress], lifetime: Int64, at now: Instant
    ) -> [IPAddress]? {
        guard !addresses.isEmpty else { return fail(name, at: now) }
        let seconds = min(max(lifetime, Self.lifetimes.lowerBound), Self.lifetimes.upperBound)
        update(name) { $0 = Entry(addresses: addresses, expiry: now + .seconds(seconds)) }
        return addresses
    }

    /// DNS did not answer, or there is no such name.
    /// - Returns: the addresses from before, when they may still be used.
    @discardableResult
    public mutating func fail(_ name: String, at now: Instant) -> [IPAddress]? {
        update(name) {
            $0.asked = nil
            $0.retry = now + Self.negativeLifetime
        }
        return entries[name.lowercased()].flatMap { stale($0, at: now) }
    }

    /// Answers to what was never asked, or is long forgotten, are not remembered.
    private mutating func update(_ name: String, _ change: (inout Entry) -> Void) {
        let key = name.lowercased()
        guard var entry = entries[key] else { return }
        change(&entry)
        entries[key] = entry
    }

    private func stale(_ entry: Entry, at now: Instant) -> [IPAddress]? {
        entry.addresses.isEmpty || now >= entry.expiry + Self.grace ? nil : entry.addresses
    }

    /// Forgets the name that is of the least use. Nobody may be asking for it.
    /// - Returns: whether there was one.
    private mutating func makeRoom(at now: Instant) -> Bool {
        let idle = entries.filter { $0.value.asked.map { now - $0 >= Self.patience } ?? true }
        guard
            let oldest = idle.min(by: {
                max($0.value.expiry, $0.value.retry) < max($1.value.expiry, $1.value.retry)
            })
        else { return false }
        entries[oldest.key] = nil
        return true
    }
}
