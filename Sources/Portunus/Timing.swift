/// Timeouts and intervals of a control plane's client. Tests use shorter ones.
public struct Timing: Sendable {
    /// How long after the last rule named by a session, or after its Welcome, rules not named are removed.
    public var grace: Duration = .seconds(30)
    /// Maximum time until then, however many rules it goes on to name.
    public var longestGrace: Duration = .seconds(600)
    /// How long after the last rule the control plane is asked about those it has not named. Together with
    /// `grace` of the session after that, removed rules are stopped after some 35 s.
    public var question: Duration = .seconds(5)
    /// Time for the question to be read, before the session is ended for its sake.
    public var arrival: Duration = .seconds(1)
    /// From Welcome to the first report, which has zeros and should not delay the following ones.
    public var firstReport: Duration = .seconds(1)
    /// Interval between reports.
    public var report: Duration = .seconds(5)
    /// Timeout from connecting until Welcome.
    public var welcome: Duration = .seconds(15)
    /// How long a push waits for its keeper; the control plane waits 2 s for both.
    public var acknowledgement: Duration = .milliseconds(1700)
    /// Idle time after which an HTTP/2 PING is sent.
    public var ping: Duration = .seconds(12)
    /// Maximum of `ping` for a server that closes connections with too many pings; gRPC's servers want 5
    /// minutes by default.
    public var longestPing: Duration = .seconds(330)
    /// Timeout for the answer to a ping, so that a dead connection is detected after 20 s.
    public var pong: Duration = .seconds(8)
    /// Maximum first pause before reconnecting; each further one is up to twice as long.
    public var firstPause: Duration = .milliseconds(500)
    /// Maximum pause.
    public var longestPause: Duration = .seconds(30)
    /// How long a session has to last for pauses to be short again.
    public var steady: Duration = .seconds(5)

    /// The values used outside tests.
    public init() {}
}
