import Glibc
import Synchronization

/// Something that takes its time, done on a thread of its own, as packets don't wait for it.
final class Errand<Outcome: Sendable> {
    private final class Result: Sendable {
        let value = Mutex<Outcome?>(nil)
    }

    private let result: Result
    private let thread: pthread_t?

    /// Begins it.
    init(_ work: @escaping @Sendable () -> Outcome) {
        let result = Result()
        self.result = result
        thread = startThread {
            let value = work()
            result.value.withLock { $0 = value }
        }
    }

    deinit { if let thread { pthread_join(thread, nil) } }

    /// What came of it; nil as long as that is not known.
    var outcome: Outcome? { result.value.withLock { $0 } }
}

/// What a thread does, of a type that C's side need not know.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs it on a new thread, or at once when there is none to be had (nil).
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
