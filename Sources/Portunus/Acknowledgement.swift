import Rules
import Synchronization

/// The single answer to a push.
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

    /// Whether the answer has been given.
    var isGiven: Bool { answered.load(ordering: .acquiring) }

    /// Gives the answer, unless one has been given.
    /// - Parameter refusal: why the rule is not carried; nil if it is.
    /// - Returns: whether this call gave the answer.
    @discardableResult
    func give(_ refusal: RuleRefusal?) -> Bool {
        give(refusal == nil ? .activated : .failed, reason: refusal?.description ?? "")
    }

    /// Gives the answer for a rule that has been removed.
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
