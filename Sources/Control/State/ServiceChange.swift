import Rules

/// A change to the stored rules of a control plane, or all of them.
struct ServiceChange: Equatable, Sendable {
    /// Rules by number; nil if removed.
    var rules: [UInt64: Rule?] = [:]
    /// Limits by owner; nil if removed.
    var limits: [String: RateLimit?] = [:]
    /// Quotas by owner; nil if removed.
    var quotas: [String: Quota?] = [:]

    var isEmpty: Bool { rules.isEmpty && limits.isEmpty && quotas.isEmpty }
}
