/// Which rule of a port a server name leads to: the one for the name itself, else the one for any label before the rest of it,
/// else the one that is for no name.
public struct NameRoutes: Sendable {
    /// How a rule was found. Nothing found is a miss.
    public enum Match: Hashable, Sendable {
        /// By the name itself.
        case exact
        /// By a wildcard.
        case wildcard
        /// No other rule is for the name.
        case fallback
    }

    private var rules: [NamePattern: RuleID] = [:]
    /// The rule that is for no name.
    public private(set) var fallback: RuleID?

    /// Leads nowhere.
    public init() {}

    /// Whether any rule is for some names only, so that one has to look at them.
    public var hasNames: Bool { !rules.isEmpty }

    /// Whether there are no rules.
    public var isEmpty: Bool { rules.isEmpty && fallback == nil }

    /// Every rule, in no order.
    public var ids: [RuleID] { Array(rules.values) + (fallback.map { [$0] } ?? []) }

    /// Takes on a rule.
    /// - Parameter serverName: its pattern; nil: the fallback.
    /// - Throws: `portInUse` when another rule is for just that, `modeChangeUnsupported` when it is no pattern.
    public mutating func add(_ serverName: String?, _ id: RuleID) throws(RuleRefusal) {
        guard let serverName else {
            guard fallback == nil else { throw .portInUse(nil) }
            fallback = id
            return
        }
        guard let pattern = NamePattern(serverName) else { throw .modeChangeUnsupported }
        guard rules[pattern] == nil else { throw .portInUse(nil) }
        rules[pattern] = id
    }

    /// Forgets a rule.
    public mutating func remove(_ id: RuleID) {
        rules = rules.filter { $0.value != id }
        if fallback == id { fallback = nil }
    }

    /// The rule for a name, or for a client that gives none; nil: a miss.
    public func route(_ name: String?) -> (rule: RuleID, match: Match)? {
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
