import Glibc
import Synchronization

/// Runs a `NameServerProbe` on its own thread, as packets must not wait for the answers.
public final class NameServerInquiry: Sendable {
    private let result = Mutex<NameServerProbe.Answers?>(nil)

    /// Starts the probe.
    public init(_ probe: NameServerProbe) {
        let body = ThreadBody { [self] in
            let answers = probe.ask()
            result.withLock { $0 = answers }
        }
        let held = Unmanaged.passRetained(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { held in
                Unmanaged<ThreadBody>.fromOpaque(held!).takeRetainedValue().run()
                return nil
            }, held.toOpaque())
        guard code != 0 else { return }
        held.release()
        // Without a thread no query is sent, which is reported like the absence of answers.
        result.withLock { $0 = .init() }
    }

    /// The answers; nil until the probe has ended.
    public var answers: NameServerProbe.Answers? { result.withLock { $0 } }

    private final class ThreadBody: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
