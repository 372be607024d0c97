/// Selects a port's rule by server name: the rule for the name itself, else the one for any label before the
/// rest of it, else the one without a server name.
package struct NameRoutes: Sendable {
    /// How a rule was found. If none is found, that is a miss.
    package enum Match: Hashable, Sendable {
        /// By the name itself.
        case exact
        /// By a wildcard.
        case wildcard
        /// By default, because no other rule matches.
        case fallback
    }

    private var rules: [NamePattern: RuleID] = [:]
    /// The rule without a server name.
    package private(set) var fallback: RuleID?

    /// No rules.
    package init() {}

    /// Whether any rule has a server name, so that connections have to be examined.
    package var hasNames: Bool { !rules.isEmpty }

    /// Whether there are no rules.
    package var isEmpty: Bool { rules.isEmpty && fallback == nil }

    /// All rules, unordered.
    package var ids: [RuleID] { Array(rules.values) + (fallback.map { [$0] } ?? []) }

    /// Adds a rule.
    /// - Parameter serverName: its pattern; nil for the fallback.
    /// - Throws: `portInUse` if another rule has the same pattern, `modeChangeUnsupported` if the pattern is
    ///   invalid.
    package mutating func add(_ serverName: String?, _ id: RuleID) throws(RuleRefusal) {
        guard let serverName else {
            guard fallback == nil else { throw .portInUse(nil) }
            fallback = id
            return
        }
        guard let pattern = NamePattern(serverName) else { throw .modeChangeUnsupported }
        guard rules[pattern] == nil else { throw .portInUse(nil) }
        rules[pattern] = id
    }

    /// Removes a rule.
    package mutating func remove(_ id: RuleID) {
        rules = rules.filter { $0.value != id }
        if fallback == id { fallback = nil }
    }

    /// The rule for a name, or for a client that sends none; nil on a miss.
    package func route(_ name: String?) -> (rule: RuleID, match: Match)? {
        if let name, let (rule, match) = named(name) { return (rule, match) }
        return fallback.map { ($0, .fallback) }
    }

    private func named(_ text: String) -> (RuleID, Match)? {
        guard let name = HostName.canonical(text[...]) else { return nil }
        if let rule = rules[.exact(name)] { return (rule, .exact) }
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return rules[.wildcard(String(name[name.utf8.index(after: dot)...]))].map { ($0, .wildcard) }
    }
}
