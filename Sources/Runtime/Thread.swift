import CLinux
import Glibc

/// The work of a thread that owns its state, from its start to its end.
package protocol ThreadLoop: SendableMetatype, ~Copyable {
    /// Does the work; the thread ends when it returns.
    mutating func run()
}

/// A POSIX thread. Threads get no asynchronous signals, which are for the main thread.
package struct Thread: Sendable {
    private let handle: pthread_t

    private init(_ handle: pthread_t) { self.handle = handle }

    /// Starts a thread that runs `body`, and has to be joined once.
    /// - Parameter name: the name in `top -H`, at most 15 bytes.
    /// - Throws: `RuntimeError.kernel` if the kernel has no thread left.
    package static func start(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(RuntimeError) -> Thread {
        let held = Unmanaged.passRetained(Body(name, body))
        // The thread inherits the mask. Its own faults must reach it, for the backtrace.
        var mask = sigset_t()
        var before = sigset_t()
        sigfillset(&mask)
        for signal in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT] { sigdelset(&mask, signal) }
        pthread_sigmask(SIG_BLOCK, &mask, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { held in
                Unmanaged<Body>.fromOpaque(held!).takeRetainedValue().run()
                return nil
            }, held.toOpaque())
        guard code == 0 else {
            held.release()
            throw .kernel("a thread", errno: code)
        }
        return Thread(handle)
    }

    /// Starts a thread that owns `loop`, runs it, and destroys it at its end.
    /// - Throws: `RuntimeError.kernel` if the kernel has no thread left; the loop is destroyed then.
    package static func start<Loop: ThreadLoop & ~Copyable>(
        name: String, _ loop: consuming Loop
    ) throws(RuntimeError) -> Thread {
        let box = LoopBox(loop)
        return try start(name: name) { box.loop.run() }
    }

    /// Starts a thread that nothing waits for.
    /// - Throws: `RuntimeError.kernel` if the kernel has no thread left.
    package static func detach(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(RuntimeError) {
        pthread_detach(try start(name: name, body).handle)
    }

    /// Waits for the thread's end; once.
    package func join() { pthread_join(handle, nil) }

    /// Waits at most this long for the thread's end; not again after it has ended.
    /// - Returns: whether it has ended.
    package func join(milliseconds: Int64) -> Bool { clinux_join(handle, milliseconds) == 0 }

    /// Processor time that the thread has used, in nanoseconds; only before its end.
    package var processorTime: UInt64 { Clock.processorTime(of: handle) }

    private final class Body: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            (self.name, self.body) = (name, body)
        }

        func run() {
            _ = clinux_thread_name(name)
            body()
        }
    }

    /// Accessed only by the thread once that has started.
    private final class LoopBox<Loop: ThreadLoop & ~Copyable>: @unchecked Sendable {
        var loop: Loop

        init(_ loop: consuming Loop) { self.loop = loop }
    }
}
