import Runtime
import Synchronization

/// A `NameServerProbe` on a thread of its own, because packets do not wait for answers.
public final class NameServerInquiry: Sendable {
    private let result = Mutex<NameServerProbe.Answers?>(nil)

    /// Begins to ask.
    public init(_ probe: NameServerProbe) {
        do throws(RuntimeError) {
            try Thread.detach(name: "name inquiry") { [self] in
                let answers = probe.ask()
                result.withLock { $0 = answers }
            }
        } catch {
            // Without a thread no question is sent: the same as no answer.
            result.withLock { $0 = .init() }
        }
    }

    /// The answers, or nil until they are known.
    public var answers: NameServerProbe.Answers? { result.withLock { $0 } }
}
