import Packet

/// A QUIC-like flow that always has data to send. Only the packet sizes are QUIC's.
final class QUICTransfer: Flow {
    private static let packetSize = 1400
    /// Bytes of the stream in a packet: without IPv4, UDP, short header, packet number, frame header and tag.
    private static let payload = 1400 - 20 - 8 - 35
    private static let header = InnerHeader.size + InnerHeader.udpSize

    private let from: Side
    private(set) var sender: QUICSender
    private var receiver = QUICReceiver()
    private var ranges: [Segment.Block] = []
    /// The counters when the measurement began, and when it ended.
    private var first = (chunks: 0, sent: 0, spurious: 0, time: Instant.zero)
    private var last = (chunks: 0, sent: 0, spurious: 0, time: Instant.zero)

    init(from side: Side, usesBBR: Bool = false) {
        from = side
        sender = QUICSender(control: usesBBR ? BBR() : nil)
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
        func number(_ index: Int) -> Int {
            Int(packet.bigEndian(at: Self.header + index * 4, as: UInt32.self))
        }
        if side == from {
            ranges.removeAll(keepingCapacity: true)
            for i in 0..<number(1) { ranges.append(.init(start: number(2 + i * 2), end: number(3 + i * 2))) }
            sender.take(ranges, delay: .microseconds(Int64(number(0))), now: now)
        } else {
            receiver.take(number(0), chunk: number(1), now: now)
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
        while let (packetNumber, chunk) = sender.leave(now: now) {
            world.send(Self.packetSize, from: from) { packet in
                InnerHeader.write(to: packet, length: packet.count, .udp, from: from, flow: number)
                packet.storeBigEndian(UInt32(packetNumber), at: Self.header)
                packet.storeBigEndian(UInt32(chunk), at: Self.header + 4)
            }
        }
        schedule()
    }

    private func acknowledge(_ now: Instant) {
        let delay = receiver.acknowledged(now: now)
        let ranges = receiver.ranges
        world.send(Self.header + 35 + ranges.count * 8, from: from.opposite) { packet in
            InnerHeader.write(to: packet, length: packet.count, .udp, from: from.opposite, flow: number)
            packet.storeBigEndian(UInt32(delay.microseconds), at: Self.header)
            packet.storeBigEndian(UInt32(ranges.count), at: Self.header + 4)
            for (i, range) in ranges.enumerated() {
                packet.storeBigEndian(UInt32(range.start), at: Self.header + 8 + i * 8)
                packet.storeBigEndian(UInt32(range.end), at: Self.header + 12 + i * 8)
            }
        }
    }

    private func schedule() { due = min(sender.due, receiver.due) }

    override func beginMeasurement(now: Instant) {
        first = (receiver.chunks, sender.next, sender.spurious, now)
    }

    override func finishMeasurement(now: Instant) {
        last = (receiver.chunks, sender.next, sender.spurious, now)
    }

    override var traced: [(name: String, value: Double)] {
        [
            ("window", Double(sender.window)), ("in_flight", Double(sender.inFlight)),
            ("srtt_ms", sender.rtt.milliseconds),
            ("delivered_kB", Double(receiver.chunks * Self.payload / 1000)),
            ("lost", Double(sender.lost)), ("spurious", Double(sender.spurious)),
        ]
    }

    /// Mbit/s of the stream received during the measurement.
    var megabits: Double {
        Double((last.chunks - first.chunks) * Self.payload * 8) / (last.time - first.time).seconds / 1e6
    }

    /// The share of packets sent that were declared lost but had arrived, 0 to 1.
    var spuriousShare: Double {
        Double(last.spurious - first.spurious) / Double(max(last.sent - first.sent, 1))
    }
}
