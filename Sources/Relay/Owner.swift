import Rules

/// Whose rules are carried.
struct Owner {
    let name: String
    /// What all rules together may take; never nil, so that connections are counted before there is a limit.
    var allowance: Allowance?
    /// What they may still carry; nil: as much as they like.
    var meter: QuotaMeter?
    /// What they have carried.
    var bytes: UInt64 = 0
    /// How many rules there are.
    var services = 0
}
