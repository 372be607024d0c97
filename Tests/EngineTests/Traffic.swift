import Packet

/// Flows of inner packets at constant rates.
final class Traffic {
    /// One flow.
    struct Flow {
        let from: Int
        let source: IPAddress
        let destination: IPAddress
        let id: UInt16
        let payload: Int
        let interval: Interval
        let expedited: Bool
        var next = Instant.zero
        var sent: UInt64 = 0
    }

    private let world: World
    private(set) var flows: [Flow] = []
    private var step = Interval.milliseconds(10)

    init(_ world: World) { self.world = world }

    /// A flow from a client to the server, or back from -1 to `client`, one packet every `interval`.
    @discardableResult
    func add(
        from: Int, client: Int = 0, id: UInt16 = 1, every interval: Interval, payload: Int = 1200,
        isV6: Bool = false, expedited: Bool = false, to destination: IPAddress? = nil
    ) -> Self {
        let inner = isV6 ? World.inner6(from < 0 ? client : from) : World.inner(from < 0 ? client : from)
        let far = isV6 ? IPAddress(v6High: 0xFD77_0000_0000_0000, low: 1) : World.serverInner
        flows.append(
            Flow(
                from: from, source: from < 0 ? far : inner,
                destination: destination ?? (from < 0 ? inner : far),
                id: id, payload: payload, interval: interval, expedited: expedited))
        step = min(step, interval)
        return self
    }

    /// Runs the world for `length` under this traffic.
    func run(for length: Interval, _ also: ((Instant) -> Void)? = nil) {
        for i in flows.indices { flows[i].next = max(flows[i].next, world.now) }
        world.run(for: length, step: step) { [self] now in
            also?(now)
            for i in flows.indices {
                while flows[i].next <= now {
                    let flow = flows[i]
                    flows[i].next = flow.next + flow.interval
                    flows[i].sent += 1
                    world.send(
                        Probe(
                            flow.source, flow.destination, flow: flow.id, number: flow.sent,
                            payload: flow.payload,
                            expedited: flow.expedited), from: flow.from)
                }
            }
        }
    }

    /// Packets sent in all.
    var sent: Int { flows.reduce(0) { $0 + Int($1.sent) } }
}

extension [(time: Instant, packet: Probe)] {
    /// The longest time between two deliveries, from `start` on.
    func longestGap(after start: Instant, until end: Instant) -> Interval {
        var gap = Interval.zero
        var last = start
        for (time, _) in self where time >= start && time <= end {
            gap = Swift.max(gap, time - last)
            last = time
        }
        return Swift.max(gap, end - last)
    }
}
