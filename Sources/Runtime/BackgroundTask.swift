import Synchronization

/// Work that may wait for the disk or for a program, on a thread of its own, because packets must not wait.
package final class BackgroundTask<Outcome: Sendable> {
    private final class Result: Sendable {
        let value = Mutex<Outcome?>(nil)
    }

    private let result = Result()
    private var thread: Thread?

    /// Begins the work, on the calling thread if the kernel has no thread left.
    /// - Parameter name: the thread's, at most 15 bytes.
    package init(name: String, _ work: @escaping @Sendable () -> Outcome) {
        let result = result
        do throws(RuntimeError) {
            thread = try Thread.start(name: name) {
                let value = work()
                result.value.withLock { $0 = value }
            }
        } catch {
            let value = work()
            result.value.withLock { $0 = value }
        }
    }

    deinit { thread?.join() }

    /// Its outcome; nil while the work is running.
    package var outcome: Outcome? { result.value.withLock { $0 } }

    /// Waits for its end.
    package func wait() {
        thread?.join()
        thread = nil
    }
}
