import Packet

/// Traffic between the two hosts behind the tunnel: both ends of it. Subclasses say what is sent and what is measured.
class Flow {
    /// Set by the world that the flow is added to.
    final unowned var world: World!
    /// Number in the world, which the packets carry in their ports.
    final var number = 0
    /// When `fire` wants to be called.
    final var due = Instant.never
    /// Whether a packet came in this turn at each end.
    final var isTouched = (false, false)

    /// Begins to send.
    func start(now: Instant) {}
    /// The time `due` has come.
    func fire(now: Instant) {}
    /// A packet of this flow arrived at one end.
    func receive(_ packet: UnsafeRawBufferPointer, at side: Side, now: Instant) {}
    /// What arrived at that end together has been received.
    func finishTurn(at side: Side, now: Instant) {}
    /// What is counted is counted from here on.
    func beginMeasurement(now: Instant) {}
    /// What is sent from here on is not counted any more.
    func finishMeasurement(now: Instant) {}
    /// What a trace tells of the flow, by name.
    var traced: [(name: String, value: Double)] { [] }
}
