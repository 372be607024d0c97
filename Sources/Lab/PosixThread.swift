import CLinux
import Glibc

/// Starts POSIX threads.
enum PosixThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread called `name` (at most 15 bytes) that runs `body`. Throws `system`.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(LabError) -> pthread_t {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(
            Body {
                _ = lab_thread_name(name)
                body()
            })
        let error = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        guard error == 0 else {
            retained.release()
            throw .system(call: "pthread_create", errno: error)
        }
        return thread
    }
}
