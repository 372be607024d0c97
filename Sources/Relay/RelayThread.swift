import Runtime

/// The relay's thread.
final class RelayThread: Sendable {
    private let lock = Lock()
    private nonisolated(unsafe) var thread: Thread?

    /// Starts the thread, which owns the relay from then on.
    init(_ loop: consuming RelayLoop) throws(RelayError) {
        do throws(RuntimeError) {
            thread = try Thread.start(name: "relay", loop)
        } catch {
            throw .kernel("start a thread", errno: error.code)
        }
    }

    /// Waits for the thread to end; may be called once.
    func join() {
        lock.locked {
            thread?.join()
            thread = nil
        }
    }
}
