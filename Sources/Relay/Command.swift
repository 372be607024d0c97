import Rules

/// A command for the relay's thread.
enum Command: Sendable {
    case setReach(Reach)
    case add(Rule, Reply<RuleRefusal?>)
    case remove(RuleID, drain: Int, Reply<Bool>)
    case setLimit(RateLimit, RuleID)
    case setOwnerLimit(RateLimit?, String)
    case setQuota(Quota?, String)
    case consume(UInt64, String)
    case setFlows(idle: Int?, maximum: Int?)
    case report(Reply<ServiceReport>)
    case stop
}
