import Portunus
import Rules
import Synchronization

/// A keeper that records its calls, and answers as configured.
final class Recorder: RuleKeeper {
    enum Call: Equatable {
        case welcome(Int?, Int?)
        case push(Rule)
        case remove(UInt64)
        case keep(Set<UInt64>)
        case ownerLimit(String, RateLimit?)
        case quota(String, Quota?)
        case state(PlaneState)
    }

    /// The answer to a push.
    enum Answer {
        case at(Duration, RuleRefusal?)
        case never

        static let activated = Answer.at(.zero, nil)
    }

    private struct Book {
        var calls: [Call] = []
        var numbers: Set<UInt64> = []
        var report: ServiceReport?
        var inside = 0
        var overlapped = false
    }

    private let book = Mutex(Book())
    private let answer: @Sendable (Rule) -> Answer

    init(answer: @escaping @Sendable (Rule) -> Answer = { _ in .activated }) { self.answer = answer }

    var calls: [Call] { book.withLock { $0.calls } }
    var pushes: [Rule] { calls.compactMap { if case .push(let rule) = $0 { rule } else { nil } } }
    var states: [PlaneState] { calls.compactMap { if case .state(let state) = $0 { state } else { nil } } }
    var kept: [Set<UInt64>] { calls.compactMap { if case .keep(let numbers) = $0 { numbers } else { nil } } }
    /// Whether two calls ever overlapped.
    var overlapped: Bool { book.withLock { $0.overlapped } }

    func setReport(_ report: ServiceReport?) { book.withLock { $0.report = report } }

    private func note(_ call: Call) {
        book.withLock {
            $0.overlapped = $0.overlapped || $0.inside > 0
            $0.inside += 1
            $0.calls.append(call)
        }
        book.withLock { $0.inside -= 1 }
    }

    func welcome(flowIdle: Int?, maximumFlows: Int?) { note(.welcome(flowIdle, maximumFlows)) }

    func push(_ rule: Rule, done: @escaping @Sendable (RuleRefusal?) -> Void) {
        note(.push(rule))
        if case .pushed(let number) = rule.id { book.withLock { _ = $0.numbers.insert(number) } }
        guard case .at(let delay, let refusal) = answer(rule) else { return }
        guard delay > .zero else { return done(refusal) }
        Task {
            try? await Task.sleep(for: delay)
            done(refusal)
        }
    }

    func remove(_ number: UInt64) -> Bool {
        note(.remove(number))
        return book.withLock { $0.numbers.remove(number) != nil }
    }

    func carried() -> Set<UInt64> { book.withLock { $0.numbers } }

    func keep(only numbers: Set<UInt64>) {
        note(.keep(numbers))
        book.withLock { $0.numbers.formIntersection(numbers) }
    }

    func setLimit(_ limit: RateLimit?, ofOwner owner: String) { note(.ownerLimit(owner, limit)) }
    func setQuota(_ quota: Quota?, ofOwner owner: String) { note(.quota(owner, quota)) }
    func report() -> ServiceReport? { book.withLock { $0.report } }
    func stateChanged(_ state: PlaneState) { note(.state(state)) }
}
