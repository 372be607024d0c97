import Packet

/// Packets of one size at a constant rate: UDP from one side, or from both as in a telephone call, or echo
/// requests.
final class PacketStream: Flow {
    /// The other side's reaction to a packet.
    enum Kind {
        /// None: packets are counted where they arrive.
        case oneWay
        /// It sends its own stream.
        case twoWay
        /// It returns the packet; replies are counted.
        case echo
    }

    private static let header = 28

    private let from: Side
    private let kind: Kind
    private let size: Int
    private let interval: Interval
    private var sent = 0
    /// The arrivals on each side.
    private(set) var logs: [Side: PacketLog] = [:]

    /// - Parameter size: the size of the IPv4 packets, at least 40 bytes.
    init(from side: Side, _ kind: Kind, size: Int, every interval: Interval) {
        from = side
        self.kind = kind
        self.size = size
        self.interval = interval
        switch kind {
        case .oneWay: logs = [side.opposite: PacketLog()]
        case .twoWay: logs = [.client: PacketLog(), .server: PacketLog()]
        case .echo: logs = [side: PacketLog()]
        }
    }

    override func start(now: Instant) { due = now }

    override func fire(now: Instant) {
        due = due + interval
        emit(sent, at: now, from: from)
        if kind == .twoWay { emit(sent, at: now, from: from.opposite) }
        sent += 1
    }

    private func emit(_ count: Int, at time: Instant, from side: Side) {
        world.send(size, from: side) { packet in
            let transport = kind == .echo ? InnerHeader.Transport.icmp : .udp
            InnerHeader.write(to: packet, length: size, transport, from: side, flow: number)
            packet.storeBigEndian(UInt32(count), at: Self.header)
            packet.storeBigEndian(time.nanoseconds, at: Self.header + 4)
        }
    }

    override func receive(_ packet: UnsafeRawBufferPointer, at side: Side, now: Instant) {
        let count = Int(packet.bigEndian(at: Self.header, as: UInt32.self))
        let time = Instant(nanoseconds: packet.bigEndian(at: Self.header + 4, as: UInt64.self))
        if kind == .echo && side != from {
            emit(count, at: time, from: side)
        } else {
            logs[side]?.note(count, sent: time, now: now)
        }
    }

    override func beginMeasurement(now: Instant) {
        for side in logs.keys { logs[side]?.begin(at: sent) }
    }

    override func finishMeasurement(now: Instant) {
        for side in logs.keys { logs[side]?.finish(at: sent) }
    }
}
