import Rules

/// An owner of rules.
struct Owner {
    let name: String
    /// The joint limit of all its rules; never nil, so that connections are counted before there is a limit.
    var allowance: Allowance?
    /// The remaining quota; nil means unlimited.
    var meter: QuotaMeter?
    /// Bytes carried for it.
    var bytes: UInt64 = 0
    /// The number of its rules.
    var services = 0
}
