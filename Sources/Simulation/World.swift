import LinkModel
import Packet

/// Two hosts, links between them, and a virtual clock: a network that repeats to the bit.
///
/// The clock drives arrivals of datagrams, stations whose turn is due, flows whose time has come, and changes
/// of links. All numbers are integers or results of the four operations and square roots, so that every machine
/// computes the same.
final class World {
    /// How long after an event a station gets its turn: the kernel's wake-up latency. Further events in the
    /// meantime are handled in the same turn, as in the daemon's loop.
    static let wakeup = Interval.microseconds(50)

    private(set) var now = Instant(nanoseconds: 5_000_000_000)
    private(set) var lanes: [Lane] = []
    /// Whether all links are in truth one: frames on each take their turns in the first one's queue.
    var sharesQueue = false
    private(set) var stations: [any Station] = []
    private(set) var flows: [Flow] = []
    private var flying = DeliveryHeap<Slot>(capacity: 8192)
    var frames = PacketPool(capacity: 65536)
    private var changes: [(time: UInt64, link: Int, change: LinkPlan.Change)] = []
    private var nextChange = 0

    /// A world with these links. Stations are added afterwards.
    init(links: [LinkPlan], seed: UInt64) {
        var seeds = SeededGenerator(seed: seed)
        for link in links {
            lanes.append(Lane(model: LinkModel(shape: link.up, seed: seeds.next())))
            lanes.append(Lane(model: LinkModel(shape: link.down, seed: seeds.next())))
        }
    }

    /// Sets the stations at the ends of the links.
    func place(client: any Station, server: any Station) { stations = [client, server] }

    /// Adds a flow, which begins with `start`.
    func add(_ flow: Flow) {
        flow.world = self
        flow.number = flows.count
        flows.append(flow)
    }

    /// Starts the flows and the links' schedules.
    func start(_ links: [LinkPlan]) {
        for (index, link) in links.enumerated() {
            changes += link.steps.map { (now.nanoseconds + $0.time, index, $0.change) }
        }
        for index in lanes.indices { lanes[index].model.restart(at: now.nanoseconds) }
        changes.sort { ($0.time, $0.link) < ($1.time, $1.link) }
        for flow in flows { flow.start(now: now) }
    }

    /// Advances the clock.
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

    /// Delivers a frame. As in the emulator, frames in flight when a link goes down are lost.
    private func arrive(_ entry: DeliveryHeap<Slot>.Entry) {
        let frame = entry.frame
        let lane = Int(entry.lane)
        if lanes[lane].model.shape.isDown {
            frames.release(frame)
        } else {
            stations[1 - lane & 1].take(frame, lane: lane, now: now)
        }
    }

    /// Sends a frame on a lane; `overhead` is the number of additional header bytes that count on the link.
    func offer(_ bytes: UnsafeRawBufferPointer, overhead: Int, lane: Int) {
        switch lanes[sharesQueue ? lane & 1 : lane].model.offer(
            bytes: bytes.count + overhead, at: now.nanoseconds)
        {
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
        precondition(frame != .none, "too many frames are in flight in a simulation")
        frames.room(of: frame).copyMemory(from: bytes)
        frames.setLength(bytes.count, of: frame)
        flying.push(time: time, frame: frame, lane: lane)
    }

    // MARK: - The hosts

    /// Sends a packet from a host.
    @inline(__always)
    func send(_ length: Int, from side: Side, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        stations[side.rawValue].send(length, now: now, fill: fill)
    }

    /// Delivers a packet to a host.
    func deliver(_ packet: UnsafeRawBufferPointer, at side: Side) {
        let number = InnerHeader.flow(of: packet, at: side)
        guard flows.indices.contains(number) else { return }
        let flow = flows[number]
        if side == .client { flow.isTouched.0 = true } else { flow.isTouched.1 = true }
        flow.receive(packet, at: side, now: now)
    }

    /// Called once all packets that arrive together have been delivered.
    func finishTurn(at side: Side) {
        for flow in flows where side == .client ? flow.isTouched.0 : flow.isTouched.1 {
            if side == .client { flow.isTouched.0 = false } else { flow.isTouched.1 = false }
            flow.finishTurn(at: side, now: now)
        }
    }
}
