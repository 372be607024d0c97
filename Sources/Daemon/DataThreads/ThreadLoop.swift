import Commands
import Glibc

/// The work of a thread of the daemon, from its start to its end.
protocol ThreadLoop: ~Copyable {
    mutating func run()
}

extension ThreadLoop where Self: ~Copyable {
    /// Runs it on a new thread, which owns it, and destroys it at its end.
    /// - Parameter purpose: the thread, as an error names it: "the watchdog's thread".
    /// - Throws: `Failure` if the kernel has no thread left.
    consuming func start(_ purpose: String) throws(Failure) -> pthread_t {
        let body = Unmanaged<ThreadBody>.passRetained(LoopBody(self))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { body in
                Unmanaged<ThreadBody>.fromOpaque(body!).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw Failure("can't start \(purpose) (\(String(cString: strerror(code))))")
        }
        return thread
    }
}

/// A loop of any type: the function that C calls can't be generic.
private class ThreadBody {
    func run() {}
}

private final class LoopBody<Loop: ThreadLoop & ~Copyable>: ThreadBody {
    private var loop: Loop

    init(_ loop: consuming Loop) { self.loop = loop }

    override func run() { loop.run() }
}
