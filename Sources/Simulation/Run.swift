import LinkModel
import Packet
import Scheduler

/// One run: a mix, its traffic, and a seed that repeats it to the bit.
public struct Run: Sendable {
    /// How long a tunnel is up before flows begin.
    private static let idle = Interval.milliseconds(500)
    /// Time for packets sent before the end to arrive.
    private static let draining = Interval.seconds(1)
    /// Bytes that the tunnel and the link add to a packet of 1400 bytes.
    private static let overhead = 86
    /// Rate of a flood, relative to the most that the links ever carry.
    private static let excess = 1.1

    private let mix: Mix
    private let column: Column
    private let seed: UInt64
    private let usesECN: Bool

    /// - Parameters:
    ///   - seed: every random choice is derived from it and the names of the mix and the column.
    ///   - usesECN: whether TCP uses ECN.
    public init(_ mix: Mix, _ column: Column, seed: UInt64, usesECN: Bool = false) {
        self.usesECN = usesECN
        self.mix = mix
        self.column = column
        var hash = seed &* 0x9E37_79B9_7F4A_7C15
        for byte in "\(mix.name)/\(column.rawValue)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        self.seed = hash
    }

    /// Runs it.
    /// - Parameter trace: called every 10 ms from the start of the flows with a line of comma-separated
    ///   figures; the first line is the heading.
    public func measure(trace: ((String) -> Void)? = nil) -> Cell {
        let world = World(links: mix.links, seed: seed)
        world.placeTunnel(mode: mix.mode, seed: seed)
        // A handshake and address validation: at most four round trips.
        let shortest = mix.links.map { $0.shape(from: mix.sender).delay }.min() ?? 0
        world.run(for: max(Self.idle, Interval(nanoseconds: Int64(shortest)) * 8))
        switch column {
        case .cubic: return bulk(cubic, world, trace)
        case .bbr: return bulk(TCPTransfer(from: mix.sender, control: BBR()), world, trace)
        case .scalable:
            let ecn = InnerHeader.ECN.scalable
            return bulk(TCPTransfer(from: mix.sender, control: Prague(), ecn: ecn), world, trace)
        case .quic, .quicBBR:
            let flow = QUICTransfer(from: mix.sender, usesBBR: column == .quicBBR)
            world.add(flow)
            let pings = addPings(to: world)
            run(world, trace)
            return Cell(
                bulk: .init(
                    megabits: flow.megabits, share: flow.megabits / mix.ceiling, spurious: flow.spuriousShare),
                pings: pings.map { answers($0, world) })
        case .light, .busy:
            if column == .busy { world.add(cubic) }
            let call = PacketStream(from: .client, .twoWay, size: 200, every: .milliseconds(20))
            // An interval that is out of phase with the call's.
            let pings = PacketStream(from: .client, .echo, size: 64, every: .microseconds(99_700))
            world.add(call)
            world.add(pings)
            run(world, trace)
            return Cell(call: stream(call, world), pings: answers(pings, world))
        case .udp:
            let flow = stream(at: mix.leastRate(until: mix.span.window.end) * 3 / 4)
            world.add(flow)
            run(world, trace)
            return Cell(udp: stream(flow, world))
        case .flood:
            let flow = stream(at: UInt64(mix.peak * Self.excess * 1e6))
            world.add(flow)
            let pings = addPings(to: world)
            run(world, trace)
            // Packets in flight at the end do not count, as with a TCP flow.
            let packets = flow.logs[mix.sender.opposite]?.delays.count ?? 0
            let megabits = Double(packets * Segment.payload * 8) / mix.span.measured.seconds / 1e6
            return Cell(
                bulk: .init(megabits: megabits, share: megabits / mix.ceiling),
                pings: pings.map { answers($0, world) })
        }
    }

    /// Packets of 1400 bytes that use `rate` bits per second of the links.
    private func stream(at rate: UInt64) -> PacketStream {
        let bits = UInt64(1400 + Self.overhead) * 8
        return PacketStream(
            from: mix.sender, .oneWay, size: 1400,
            every: Interval(nanoseconds: Int64(bits * 1_000_000_000 / rate)))
    }

    /// Pings next to a flow over links that vary all the time, ten a second.
    private func addPings(to world: World) -> PacketStream? {
        guard mix.isVarying || column == .flood else { return nil }
        let pings = PacketStream(from: .client, .echo, size: 64, every: .microseconds(99_700))
        world.add(pings)
        return pings
    }

    private var cubic: TCPTransfer<CubicControl> {
        TCPTransfer(
            from: mix.sender, control: CubicControl(), ecn: usesECN ? InnerHeader.ECN.capable : 0)
    }

    private func bulk<Control>(
        _ flow: TCPTransfer<Control>, _ world: World, _ trace: ((String) -> Void)?
    ) -> Cell {
        world.add(flow)
        let pings = addPings(to: world)
        run(world, trace)
        return Cell(
            bulk: .init(
                megabits: flow.megabits, share: flow.megabits / mix.ceiling,
                recoveries: flow.sender.recoveries,
                undone: flow.sender.undone, timeouts: flow.sender.timeouts,
                roundTrip: flow.roundTrips.quantile(0.5)?.milliseconds,
                longRoundTrip: flow.roundTrips.quantile(0.95)?.milliseconds),
            pings: pings.map { answers($0, world) })
    }

    private func run(_ world: World, _ trace: ((String) -> Void)?) {
        world.start(mix.links)
        if let trace {
            trace("ms," + world.trace(from: mix.sender).map(\.name).joined(separator: ","))
        }
        pass(mix.span.settling, world, trace)
        for flow in world.flows { flow.beginMeasurement(now: world.now) }
        pass(mix.span.measured, world, trace)
        for flow in world.flows { flow.finishMeasurement(now: world.now) }
    }

    private func pass(_ length: Interval, _ world: World, _ trace: ((String) -> Void)?) {
        guard let trace else { return world.run(for: length) }
        let end = world.now + length
        while world.now < end {
            let values = world.trace(from: mix.sender).map { "\($0.value)" }
            trace("\(world.now.microseconds / 1000)," + values.joined(separator: ","))
            world.run(for: .milliseconds(10))
        }
    }

    // MARK: - Streams

    private func stream(_ stream: PacketStream, _ world: World) -> Cell.Stream {
        world.run(for: Self.draining)
        let logs = stream.logs.values
        let count = Double(logs.reduce(0) { $0 + $1.count })
        var late = 0
        for (side, log) in stream.logs {
            let fastest = mix.links.map { $0.shape(from: side.opposite).delay }.min() ?? 0
            let limit = Interval(nanoseconds: Int64(fastest)) + .milliseconds(150)
            late += log.delays.count { $0 > limit }
        }
        return Cell.Stream(
            lost: Double(logs.reduce(0) { $0 + $1.lost }) / count, late: Double(late) / count,
            outOfOrder: Double(logs.reduce(0) { $0 + $1.outOfOrder }) / count)
    }

    private func answers(_ pings: PacketStream, _ world: World) -> Cell.Pings {
        if mix.isVarying || column == .flood { world.run(for: Self.draining) }
        let log = pings.logs[.client]!
        return Cell.Pings(
            median: log.delays.quantile(0.5)?.milliseconds ?? .infinity,
            p95: log.delays.quantile(0.95)?.milliseconds ?? .infinity,
            p99: log.delays.quantile(0.99)?.milliseconds ?? .infinity, lost: log.lost)
    }
}
