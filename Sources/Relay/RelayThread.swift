import Runtime

/// The thread that relays.
final class RelayThread: Sendable {
    private let lock = Lock()
    private nonisolated(unsafe) var thread: Thread?

    /// Starts the thread, which owns the loop from here on.
    init(_ loop: consuming RelayLoop) throws(RelayError) {
        do throws(RuntimeError) {
            thread = try Thread.start(name: "relay", loop)
        } catch {
            throw .kernel("start a thread", errno: error.code)
        }
    }

    /// Waits for its end. Further calls return once that has come.
    func join() {
        lock.locked {
            thread?.join()
            thread = nil
        }
    }
}
