import Packet

/// Traffic between the two hosts behind the tunnel, with both of its ends. Subclasses define what is sent and
/// measured.
class Flow {
    /// The world that the flow has been added to, which sets this.
    final unowned var world: World!
    /// Its number in the world, which packets carry in their ports.
    final var number = 0
    /// When to call `fire`.
    final var due = Instant.never
    /// Whether a packet arrived in this turn at each end.
    final var isTouched = (false, false)

    /// Starts sending.
    func start(now: Instant) {}
    /// Called when `due` has been reached.
    func fire(now: Instant) {}
    /// A packet of this flow arrived at one end.
    func receive(_ packet: UnsafeRawBufferPointer, at side: Side, now: Instant) {}
    /// Called once all packets that arrive together at that end have been received.
    func finishTurn(at side: Side, now: Instant) {}
    /// Starts the measurement.
    func beginMeasurement(now: Instant) {}
    /// Ends the measurement; packets sent from here on do not count.
    func finishMeasurement(now: Instant) {}
    /// The flow's figures in a trace, by name.
    var traced: [(name: String, value: Double)] { [] }
}
