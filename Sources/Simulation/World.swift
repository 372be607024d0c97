import LinkModel
import Packet

/// Two hosts, links between them, a virtual clock: a network that repeats to the bit.
///
/// What the clock moves are datagrams that arrive, stations that want their turn, flows whose time has come, and links
/// that change. All numbers are integers or come from the four operations and square roots, so that every machine gets the
/// same.
final class World {
    /// How long after something happens a station gets its turn: a wake-up by the kernel. What happens meanwhile is
    /// dealt with in the same turn, as in the daemon's loop.
    static let wakeup = Interval.microseconds(50)

    private(set) var now = Instant(nanoseconds: 5_000_000_000)
    private(set) var lanes: [Lane] = []
    private(set) var stations: [any Station] = []
    private(set) var flows: [Flow] = []
    private var flying = DeliveryHeap<Slot>(capacity: 8192)
    var frames = PacketPool(capacity: 65536)
    private var changes: [(time: UInt64, link: Int, change: LinkPlan.Change)] = []
    private var nextChange = 0

    /// A world of these links. Stations are put in afterwards.
    init(links: [LinkPlan], seed: UInt64) {
        var seeds = SeededGenerator(seed: seed)
        for link in links {
            lanes.append(Lane(model: LinkModel(shape: link.up, seed: seeds.next())))
            lanes.append(Lane(model: LinkModel(shape: link.down, seed: seeds.next())))
        }
    }

    /// What stands at the ends of the links.
    func place(client: any Station, server: any Station) { stations = [client, server] }

    /// Adds a flow, which begins with `start`.
    func add(_ flow: Flow) {
        flow.world = self
        flow.number = flows.count
        flows.append(flow)
    }

    /// Starts the flows, and the course of the links.
    func start(_ links: [LinkPlan]) {
        for (index, link) in links.enumerated() {
            changes += link.steps.map { (now.nanoseconds + $0.time, index, $0.change) }
        }
        for index in lanes.indices { lanes[index].model.restart(at: now.nanoseconds) }
        changes.sort { ($0.time, $0.link) < ($1.time, $1.link) }
        for flow in flows { flow.start(now: now) }
    }

    /// Lets time pass.
    func run(for length: Interval) {
        let end = now + length
        while true {
            var next = min(end, Instant(nanoseconds: flying.nextTime ?? .max))
            for station in stations { next = min(next, station.wake) }
            for flow in flows { next = min(next, flow.due) }
            if nextChange < changes.count {
                next = min(next, Instant(nanoseconds: changes[nextChange].time))
            }
            if next >= end { break }
            now = max(now, next)
            while nextChange < changes.count, changes[nextChange].time <= now.nanoseconds { applyChange() }
            while let entry = flying.pop(dueBy: now.nanoseconds) { arrive(entry) }
            for flow in flows where flow.due <= now { flow.fire(now: now) }
            for station in stations where station.wake <= now { station.turn(now: now) }
        }
        now = end
    }

    private func applyChange() {
        let change = changes[nextChange]
        nextChange += 1
        lanes[change.link * 2].model.shape.apply(change.change)
        lanes[change.link * 2 + 1].model.shape.apply(change.change)
    }

    /// As the emulator does: what is under way when a link goes down is lost.
    private func arrive(_ entry: DeliveryHeap<Slot>.Entry) {
        let frame = entry.frame
        let lane = Int(entry.lane)
        if lanes[lane].model.shape.isDown {
            frames.release(frame)
        } else {
            stations[1 - lane & 1].take(frame, lane: lane, now: now)
        }
    }

    /// Puts a frame onto a lane; `overhead` are the bytes of headers that count on the link beside it.
    func offer(_ bytes: UnsafeRawBufferPointer, overhead: Int, lane: Int) {
        switch lanes[lane].model.offer(bytes: bytes.count + overhead, at: now.nanoseconds) {
        case .delivered(let time): fly(bytes, time, lane)
        case .duplicated(let time, let copy):
            fly(bytes, time, lane)
            fly(bytes, copy, lane)
        case .queueFull, .policed: lanes[lane].queueDropped += 1
        case .lost, .down: break
        }
    }

    private func fly(_ bytes: UnsafeRawBufferPointer, _ time: UInt64, _ lane: Int) {
        let frame = frames.reserve()
        precondition(frame != .none, "the links of a simulation hold too much")
        frames.room(of: frame).copyMemory(from: bytes)
        frames.setLength(bytes.count, of: frame)
        flying.push(time: time, frame: frame, lane: lane)
    }

    // MARK: - The hosts

    /// A host sends a packet.
    @inline(__always)
    func send(_ length: Int, from side: Side, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        stations[side.rawValue].send(length, now: now, fill: fill)
    }

    /// A packet has come out at a host.
    func deliver(_ packet: UnsafeRawBufferPointer, at side: Side) {
        let number = InnerHeader.flow(of: packet, at: side)
        guard flows.indices.contains(number) else { return }
        let flow = flows[number]
        if side == .client { flow.isTouched.0 = true } else { flow.isTouched.1 = true }
        flow.receive(packet, at: side, now: now)
    }

    /// All packets that came out together have come out.
    func finishTurn(at side: Side) {
        for flow in flows where side == .client ? flow.isTouched.0 : flow.isTouched.1 {
            if side == .client { flow.isTouched.0 = false } else { flow.isTouched.1 = false }
            flow.finishTurn(at: side, now: now)
        }
    }
}
