import Rules

/// What of a control plane's rules is to be stored, or is.
struct ServiceChange: Equatable, Sendable {
    /// By number; nil: it is gone.
    var rules: [UInt64: Rule?] = [:]
    /// By owner, likewise.
    var limits: [String: RateLimit?] = [:]
    /// By owner, likewise.
    var quotas: [String: Quota?] = [:]

    var isEmpty: Bool { rules.isEmpty && limits.isEmpty && quotas.isEmpty }
}
