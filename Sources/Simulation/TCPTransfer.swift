import Packet

/// A TCP flow that always has data to send.
final class TCPTransfer<Control: CongestionControl>: Flow {
    private let from: Side
    private(set) var sender: TCPSender<Control>
    private(set) var receiver: TCPReceiver
    private var segment = Segment()
    private var measured = (from: 0, to: 0, since: Instant.zero, until: Instant.zero)
    private static var window: Int { 16384 }

    /// The ECN codepoint of its data.
    private let ecn: UInt8
    /// Round trips measured since the measurement began.
    private(set) var roundTrips: [Interval] = []

    init(from side: Side, control: Control, ecn: UInt8 = 0) {
        from = side
        self.ecn = ecn
        sender = TCPSender(control: control, window: Self.window)
        receiver = TCPReceiver(window: Self.window, countsMarks: ecn == InnerHeader.ECN.scalable)
    }

    override func start(now: Instant) { transmit(now) }

    override func fire(now: Instant) {
        if sender.due <= now {
            sender.fire(now: now)
            transmit(now)
        }
        if receiver.due <= now { acknowledge(now) }
        schedule()
    }

    override func receive(_ packet: UnsafeRawBufferPointer, at side: Side, now: Instant) {
        segment.read(packet)
        if side == from {
            if let rtt = sender.take(segment, now: now), measured.since > .zero { roundTrips.append(rtt) }
        } else {
            receiver.take(segment, now: now)
        }
    }

    override func finishTurn(at side: Side, now: Instant) {
        if side == from {
            transmit(now)
        } else if receiver.owesACK(now: now) {
            acknowledge(now)
        }
        schedule()
    }

    private func transmit(_ now: Instant) {
        while let number = sender.next(now: now) {
            world.send(Segment.headerSize + Segment.payload, from: from) { packet in
                segment.blocks.removeAll(keepingCapacity: true)
                segment.sequence = number
                segment.acknowledged = 0
                segment.timestamp = TCPSender<Control>.timestamp(now)
                segment.echo = 0
                segment.ecn = ecn
                segment.marks = 0
                segment.echoesCongestion = false
                segment.hasReducedWindow = sender.takeWindowReduced()
                segment.write(to: packet, from: from, flow: self.number)
            }
        }
        schedule()
    }

    private func acknowledge(_ now: Instant) {
        receiver.acknowledge(into: &segment)
        segment.timestamp = TCPSender<Control>.timestamp(now)
        world.send(Segment.size(segment.blocks.count), from: from.opposite) { packet in
            segment.write(to: packet, from: from.opposite, flow: number)
        }
    }

    private func schedule() { due = min(sender.due, receiver.due) }

    override func beginMeasurement(now: Instant) {
        measured.from = receiver.next
        measured.since = now
    }

    override func finishMeasurement(now: Instant) {
        measured.to = receiver.next
        measured.until = now
    }

    override var traced: [(name: String, value: Double)] {
        [
            ("window", Double(sender.window)), ("in_flight", Double(sender.board.inFlight)),
            ("srtt_ms", sender.rtt.milliseconds),
            ("delivered_kB", Double(receiver.next * Segment.payload / 1000)),
            ("recoveries", Double(sender.recoveries)), ("undone", Double(sender.undone)),
            ("timeouts", Double(sender.timeouts)), ("out_of_order", Double(receiver.outOfOrder)),
        ]
    }

    /// Mbit/s of payload received in order during the measurement.
    var megabits: Double {
        Double((measured.to - measured.from) * Segment.payload * 8)
            / (measured.until - measured.since).seconds
            / 1e6
    }
}
