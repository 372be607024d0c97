/// How long the client of a control plane waits for what. Tests wait less.
public struct Timing: Sendable {
    /// How long after the last rule that a session has named, or after its Welcome, others are gone.
    public var grace: Duration = .seconds(30)
    /// The longest time until then, however many rules it goes on to name.
    public var longestGrace: Duration = .seconds(600)
    /// How long after the last rule the control plane is asked for those that it has not named. With `grace` of the session after
    /// that, rules that are gone are stopped after some 35 s.
    public var question: Duration = .seconds(5)
    /// How long the question takes to be read, before the session ends for its sake.
    public var arrival: Duration = .seconds(1)
    /// From Welcome to the first report, which has zeros and should not keep the next ones waiting.
    public var firstReport: Duration = .seconds(1)
    /// Between reports.
    public var report: Duration = .seconds(5)
    /// How long connecting may take until Welcome.
    public var welcome: Duration = .seconds(15)
    /// How long a push waits for its keeper; the control plane waits 2 s for both.
    public var acknowledgement: Duration = .milliseconds(1700)
    /// How long nothing comes until the other end is asked for a sign of life (HTTP/2 PING).
    public var ping: Duration = .seconds(12)
    /// The longest that `ping` becomes for a server that ends connections on which it comes too often; gRPC's servers want 5 minutes
    /// unless they are set otherwise.
    public var longestPing: Duration = .seconds(330)
    /// How long the sign of life may take, so that a dead connection is known after 20 s.
    public var pong: Duration = .seconds(8)
    /// The longest first pause before connecting again; each further one is up to twice as long.
    public var firstPause: Duration = .milliseconds(500)
    /// The longest pause.
    public var longestPause: Duration = .seconds(30)
    /// How long a session lasts for pauses to be short again.
    public var steady: Duration = .seconds(5)

    /// What is used outside tests.
    public init() {}
}
