import Packet

/// The addresses of targets' names, for as long as DNS permits, within bounds; after that, while DNS fails, the
/// old ones a little longer; and failures, so that not every connection repeats the lookup. The caller performs
/// the lookups.
package struct NameCache: Sendable {
    /// What to do about a name.
    package enum Answer: Hashable, Sendable {
        /// Use these addresses.
        case addresses([IPAddress])
        /// A recent lookup failed.
        case unknown
        /// Query DNS, and call `resolve` or `fail` in any case.
        case ask
        /// A lookup is in progress.
        case wait
    }

    private struct Entry: Sendable {
        var addresses: [IPAddress] = []
        /// When the addresses expire.
        var expiry = Instant.zero
        /// When to retry after a failure.
        var retry = Instant.zero
        /// When the lookup in progress began.
        var asked: Instant?
    }

    private var entries: [String: Entry] = [:]
    private let capacity: Int

    /// Bounds on the lifetime of addresses in seconds, regardless of the TTL.
    package static let lifetimes: ClosedRange<Int64> = 5...300
    /// How long expired addresses are used while DNS fails.
    package static let grace = Interval.seconds(30)
    /// How long a failure is remembered.
    package static let negativeLifetime = Interval.seconds(3)
    /// Timeout after which a lookup counts as lost: three times its own timeout.
    private static let patience = Interval.seconds(9)

    /// An empty cache.
    /// - Parameter capacity: maximum number of names.
    package init(capacity: Int = 4096) { self.capacity = max(1, capacity) }

    /// The number of names in the cache.
    package var count: Int { entries.count }

    /// Looks up a name in the cache.
    package mutating func look(up name: String, at now: Instant) -> Answer {
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

    /// Records an answer from DNS. An answer without addresses is a failure.
    /// - Parameter lifetime: the answer's TTL, in seconds.
    /// - Returns: the addresses to use; nil if there are none.
    @discardableResult
    package mutating func resolve(
        _ name: String, to addresses: [IPAddress], lifetime: Int64, at now: Instant
    ) -> [IPAddress]? {
        guard !addresses.isEmpty else { return fail(name, at: now) }
        let seconds = min(max(lifetime, Self.lifetimes.lowerBound), Self.lifetimes.upperBound)
        update(name) { $0 = Entry(addresses: addresses, expiry: now + .seconds(seconds)) }
        return addresses
    }

    /// Records that DNS did not answer, or that the name does not exist.
    /// - Returns: the previous addresses if they may still be used.
    @discardableResult
    package mutating func fail(_ name: String, at now: Instant) -> [IPAddress]? {
        update(name) {
            $0.asked = nil
            $0.retry = now + Self.negativeLifetime
        }
        return entries[name.lowercased()].flatMap { stale($0, at: now) }
    }

    /// Changes an entry. Answers to names never looked up, or already dropped, are ignored.
    private mutating func update(_ name: String, _ change: (inout Entry) -> Void) {
        let key = name.lowercased()
        guard var entry = entries[key] else { return }
        change(&entry)
        entries[key] = entry
    }

    private func stale(_ entry: Entry, at now: Instant) -> [IPAddress]? {
        entry.addresses.isEmpty || now >= entry.expiry + Self.grace ? nil : entry.addresses
    }

    /// Drops the least useful name, of those without a lookup in progress.
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
