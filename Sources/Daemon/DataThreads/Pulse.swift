import Commands
import Synchronization

/// Shows whether a thread's loop goes round: the watchdog asks, and the loop answers with its next turn.
final class Pulse: Sendable {
    /// What the log calls the thread.
    let name: String
    private let bell: Bell
    private let asked = Atomic<UInt64>(0)
    private let answered = Atomic<UInt64>(0)

    /// - Throws: `Failure` when the kernel has no descriptor left.
    init(_ name: String) throws(Failure) {
        self.name = name
        bell = try Bell()
    }

    /// Readable while a question is open: the loop has to watch it, or it would sleep through the question.
    var fileDescriptor: Int32 { bell.fileDescriptor }

    /// The watchdog's question.
    func ask() {
        asked.add(1, ordering: .releasing)
        bell.ring()
    }

    /// The loop's answer, once a turn: two loads when there is no question.
    func beat() {
        guard isMissed else { return }
        // In this order: a question that comes meanwhile rings again.
        bell.silence()
        answered.store(asked.load(ordering: .acquiring), ordering: .releasing)
    }

    /// Whether the last question is unanswered.
    var isMissed: Bool { answered.load(ordering: .acquiring) != asked.load(ordering: .acquiring) }
}
