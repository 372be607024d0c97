import Packet
import Settings

/// The addresses of the server's names: when they are looked up, and which of them are still tried.
///
/// A name is looked up once, again while no path works, and at once after a reload or a change of routes,
/// which suggest a change. During an outage the pauses grow with it, so that a server that moves is found
/// within half a minute.
package struct ServerNames {
    /// The maximum number of addresses tried for a name.
    static let mostAddresses = 16
    private static let shortestPause = Interval.seconds(3)
    /// In the first ten minutes of an outage, and after them.
    private static let pauses = (early: Interval.seconds(20), late: Interval.seconds(60))
    private static let early = Interval.seconds(600)

    private struct Entry {
        /// Results of the last lookup, then those of earlier ones.
        var fresh: [Endpoint] = []
        var stale: [Endpoint] = []
        var askedAt: Instant?
        /// The number of answers to the last question that are still to come.
        var expected = 0
        var wasFound = false
        var problem: String?
        var hasWarned = false
    }

    private var entries: [HostPort: Entry] = [:]
    /// The time since which no path works, or a name has no address.
    private var searchingSince: Instant?

    package init() {}

    /// A name's endpoints, the latest first; for an address, itself.
    package func endpoints(of name: HostPort) -> [Endpoint] {
        if let endpoint = name.endpoint { return [endpoint] }
        guard let entry = entries[name] else { return [] }
        return Array((entry.fresh + entry.stale).prefix(Self.mostAddresses))
    }

    /// Why a name has no address; nil if it has one.
    package func problem(of name: HostPort) -> String? {
        endpoints(of: name).isEmpty ? entries[name]?.problem : nil
    }

    /// Takes addresses from an earlier run.
    mutating func remember(_ endpoints: [Endpoint], of name: HostPort) {
        guard name.endpoint == nil, entries[name] == nil, !endpoints.isEmpty else { return }
        entries[name, default: Entry()].stale = endpoints
    }

    /// The names to look up now.
    /// - Parameter isOut: whether no path works.
    package mutating func due(_ names: [HostPort], isOut: Bool, now: Instant) -> [HostPort] {
        let names = names.filter { $0.endpoint == nil }
        let isSearching = isOut || names.contains { endpoints(of: $0).isEmpty }
        searchingSince = isSearching ? searchingSince ?? now : nil
        let outage = searchingSince.map { now - $0 } ?? .zero
        let longest = outage < Self.early ? Self.pauses.early : Self.pauses.late
        let pause = min(max(Interval(nanoseconds: outage.nanoseconds / 4), Self.shortestPause), longest)
        return names.filter { name in
            guard let askedAt = entries[name]?.askedAt else { return true }
            return isSearching && now - askedAt >= pause
        }
    }

    /// Has all names looked up the next time.
    mutating func hurry() {
        for name in entries.keys { entries[name]?.askedAt = nil }
    }

    /// A name is being looked up.
    /// - Parameter answers: the number of answers to expect.
    package mutating func asked(_ name: HostPort, answers: Int, now: Instant) {
        entries[name, default: Entry()].askedAt = now
        entries[name]?.expected = answers
        entries[name]?.wasFound = false
        entries[name]?.problem = nil
    }

    /// An answer came.
    /// - Returns: the problem to log if no answer has an address; once until one has.
    package mutating func learn(_ endpoints: [Endpoint], of name: HostPort, problem: String?) -> String? {
        var entry = entries[name, default: Entry()]
        defer { entries[name] = entry }
        entry.expected = max(0, entry.expected - 1)
        guard !endpoints.isEmpty else {
            entry.problem = entry.problem ?? problem
            guard entry.expected == 0, !entry.wasFound, !entry.hasWarned else { return nil }
            entry.hasWarned = true
            return entry.problem
        }
        // The second answer to one question adds to the first.
        let before = entry.fresh + entry.stale
        entry.fresh = Self.union(entry.wasFound ? entry.fresh : [], endpoints)
        entry.stale = Array(before.filter { !entry.fresh.contains($0) }.prefix(Self.mostAddresses))
        (entry.wasFound, entry.hasWarned, entry.problem) = (true, false, nil)
        return nil
    }

    /// Forgets the addresses that a name no longer has once one of its present ones has answered.
    /// - Returns: whether there were any.
    mutating func settle(on answering: Set<Endpoint>) -> Bool {
        var changed = false
        for (name, entry) in entries
        where !entry.stale.isEmpty && entry.wasFound && entry.fresh.contains(where: answering.contains)
            && entry.stale.allSatisfy({ !answering.contains($0) })
        {
            entries[name]?.stale = []
            changed = true
        }
        return changed
    }

    private static func union(_ one: [Endpoint], _ other: [Endpoint]) -> [Endpoint] {
        let all = other.reduce(into: one) { if !$0.contains($1) { $0.append($1) } }
        return Array(all.prefix(mostAddresses))
    }
}
