/// Timeouts and intervals of a control plane's client. Tests use shorter ones.
package struct Timing: Sendable {
    /// How long after the last rule named by a session, or after its Welcome, rules not named are removed.
    package var grace: Duration = .seconds(30)
    /// Maximum time until then, however many rules it goes on to name.
    package var longestGrace: Duration = .seconds(600)
    /// How long after the last rule the control plane is asked about those it has not named. Together with
    /// `grace` of the session after that, removed rules are stopped after some 35 s.
    package var question: Duration = .seconds(5)
    /// Time for the question to be read, before the session is ended for its sake.
    package var arrival: Duration = .seconds(1)
    /// From Welcome to the first report, which has zeros and should not delay the following ones.
    package var firstReport: Duration = .seconds(1)
    /// Interval between reports.
    package var report: Duration = .seconds(5)
    /// Timeout from connecting until Welcome.
    package var welcome: Duration = .seconds(15)
    /// How long a push waits for its keeper; the control plane waits 2 s for both.
    package var acknowledgement: Duration = .milliseconds(1700)
    /// Idle time after which an HTTP/2 PING is sent.
    package var ping: Duration = .seconds(12)
    /// Maximum of `ping` for a server that closes connections with too many pings; gRPC's servers want 5
    /// minutes by default.
    package var longestPing: Duration = .seconds(330)
    /// Timeout for the answer to a ping, so that a dead connection is detected after 20 s.
    package var pong: Duration = .seconds(8)
    /// Maximum first pause before reconnecting; each further one is up to twice as long.
    package var firstPause: Duration = .milliseconds(500)
    /// Maximum pause.
    package var longestPause: Duration = .seconds(30)
    /// How long a session has to last for pauses to be short again.
    package var steady: Duration = .seconds(5)

    /// The values used outside tests.
    package init() {}
}
