import Rules
import Synchronization

/// The one answer that a push gets.
final class Acknowledgement: Sendable {
    private let request: String
    private let number: UInt64
    private let outgoing: AsyncStream<Portunus_V1_ClientMessage>.Continuation
    private let answered = Atomic<Bool>(false)

    init(
        of request: String, rule number: UInt64,
        to outgoing: AsyncStream<Portunus_V1_ClientMessage>.Continuation
    ) {
        self.request = request
        self.number = number
        self.outgoing = outgoing
    }

    /// Whether it was given.
    var isGiven: Bool { answered.load(ordering: .acquiring) }

    /// Gives it, unless it was given.
    /// - Parameter refusal: why the rule is not carried; nil: it is.
    /// - Returns: whether this one is it.
    @discardableResult
    func give(_ refusal: RuleRefusal?) -> Bool {
        give(refusal == nil ? .activated : .failed, reason: refusal?.description ?? "")
    }

    /// Gives it, of a rule that is stopped.
    func giveRemoved() { give(.removed, reason: "") }

    @discardableResult
    private func give(_ outcome: Portunus_V1_ActivationOutcome, reason: String) -> Bool {
        guard !answered.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        outgoing.yield(
            .with {
                $0.ruleStatus = .with {
                    $0.requestID = request
                    $0.ruleID = number
                    $0.outcome = outcome
                    $0.reason = reason
                }
            })
        return true
    }
}
