import Rules
import Runtime

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

/// The thread's answer to a command, for which another thread waits.
final class Reply<Value: Sendable>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value?

    /// Provides the answer.
    func answer(_ value: Value) {
        lock.locked {
            self.value = value
            lock.announce()
        }
    }

    /// Waits for the answer.
    func wait() -> Value {
        lock.locked {
            while true {
                if let value { return value }
                lock.wait()
            }
        }
    }
}
