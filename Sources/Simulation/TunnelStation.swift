import Engine
import Packet
import Proto
import Scheduler

/// An end of a tunnel: an Engine, and the work that the daemon's loop does in one turn.
///
///     datagrams that arrived → packets of the host → Engine.service → datagrams and packets out, until it is done
final class TunnelStation: Station {
    /// Maximum number of packets that the daemon reads from its TUN device in one turn.
    private static let packetsPerTurn = 64

    private unowned let world: World
    private let side: Side
    /// The destinations of each link: client to server by path, and back.
    private let links: [Link]
    var engine: Engine
    private var outbox = Outbox()
    private var arrived: [(frame: Slot, lane: Int)] = []
    private var waiting: [(slot: Slot, length: Int)] = []
    private var firstWaiting = 0
    private(set) var wake: Instant

    /// - Parameter links: the `Link` of datagrams that arrive over each of the world's links.
    init(_ world: World, _ side: Side, engine: consuming Engine, links: [Link]) {
        self.world = world
        self.side = side
        self.engine = engine
        self.links = links
        wake = world.now
    }

    func take(_ frame: Slot, lane: Int, now: Instant) {
        arrived.append((frame, lane))
        wake = min(wake, now + World.wakeup)
    }

    func send(_ length: Int, now: Instant, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let slot = engine.reserve()
        guard slot != .none else { return }
        fill(engine.room(of: slot).slice(0, length))
        waiting.append((slot, length))
        wake = min(wake, now + World.wakeup)
    }

    func turn(now: Instant) {
        for (frame, lane) in arrived {
            engine.receive(
                UnsafeRawBufferPointer(world.frames.packet(in: frame)), from: links[lane / 2], now: now)
            world.frames.release(frame)
        }
        arrived.removeAll(keepingCapacity: true)
        let last = min(firstWaiting + Self.packetsPerTurn, waiting.count)
        for (slot, length) in waiting[firstWaiting..<last] { engine.send(slot, length: length, now: now) }
        firstWaiting = last
        if firstWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            firstWaiting = 0
        }
        wake = .never
        service(now: now)
        if firstWaiting < waiting.count { wake = min(wake, now + World.wakeup) }
        let deadline = engine.nextDeadline()
        if deadline != .never { wake = min(wake, max(deadline, now) + World.wakeup) }
    }

    private func service(now: Instant) {
        let wall = Timestamp(
            seconds: 1_700_000_000 + now.nanoseconds / 1_000_000_000,
            nanoseconds: UInt32(now.nanoseconds % 1_000_000_000))
        var isDone = false
        while !isDone {
            isDone = engine.service(into: &outbox, now: now, wall: wall)
            flush()
            while case let slot = engine.takeDelivery(), slot != .none {
                world.deliver(engine.packet(in: slot), at: side)
                engine.release(slot)
            }
        }
        world.finishTurn(at: side)
        _ = engine.takeEvents()
    }

    private func flush() {
        for i in 0..<outbox.count {
            let entry = outbox[i]
            guard let index = links.firstIndex(where: { leads(entry.link, along: $0) }) else { continue }
            world.offer(
                UnsafeRawBufferPointer(outbox.datagram(entry)), overhead: RateModel.datagramOverhead,
                lane: index * 2 + side.rawValue)
        }
        outbox.clear()
    }

    @inline(__always)
    private func leads(_ link: Link, along other: Link) -> Bool {
        side == .client ? link.socket == other.socket : link.remote.port == other.remote.port
    }
}
