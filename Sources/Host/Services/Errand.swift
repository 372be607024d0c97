import Glibc
import Synchronization

/// A slow operation on its own thread, as packets must not wait for it.
final class Errand<Outcome: Sendable> {
    private final class Result: Sendable {
        let value = Mutex<Outcome?>(nil)
    }

    private let result: Result
    private let thread: pthread_t?

    /// Starts the operation.
    init(_ work: @escaping @Sendable () -> Outcome) {
        let result = Result()
        self.result = result
        thread = startThread {
            let value = work()
            result.value.withLock { $0 = value }
        }
    }

    deinit { if let thread { pthread_join(thread, nil) } }

    /// The result; nil while the operation is running.
    var outcome: Outcome? { result.value.withLock { $0 } }
}

/// The body of a thread, with its type hidden from C.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs the body on a new thread, or synchronously if no thread can be started (nil).
private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    let held = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { held in
            Unmanaged<ThreadBody>.fromOpaque(held!).takeRetainedValue().run()
            return nil
        }, held.toOpaque())
    if code == 0 { return thread }
    held.takeRetainedValue().run()
    return nil
}
