import Runtime
import Synchronization

/// Runs a `NameServerProbe` on its own thread, as packets must not wait for the answers.
package final class NameServerInquiry: Sendable {
    private let result = Mutex<NameServerProbe.Answers?>(nil)

    /// Starts the probe.
    package init(_ probe: NameServerProbe) {
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

    /// The answers; nil until the probe has ended.
    package var answers: NameServerProbe.Answers? { result.withLock { $0 } }
}
