import Runtime
import Synchronization

/// Shows whether a thread's loop is running: the watchdog asks, and the loop answers in its next turn.
final class Pulse: Sendable {
    /// The thread's name in the log.
    let name: String
    private let event: EventFD
    private let asked = Atomic<UInt64>(0)
    private let answered = Atomic<UInt64>(0)

    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    init(_ name: String) throws(RuntimeError) {
        self.name = name
        event = try EventFD()
    }

    /// Readable while a question is open: the loop has to watch it, or it would sleep through the question.
    var fileDescriptor: Int32 { event.fileDescriptor }

    /// The watchdog's question.
    func ask() {
        asked.add(1, ordering: .releasing)
        event.signal()
    }

    /// The loop's answer, once each turn: two loads while no question is open.
    func beat() {
        guard isMissed else { return }
        // In this order, a question that arrives in between signals again.
        event.clear()
        answered.store(asked.load(ordering: .acquiring), ordering: .releasing)
    }

    /// Whether the last question is unanswered.
    var isMissed: Bool { answered.load(ordering: .acquiring) != asked.load(ordering: .acquiring) }
}
