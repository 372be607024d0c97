import Packet

/// An end of a tunnel whose host also sends one flow past it, over the first link: a neighbor in the same queue.
final class NeighborStation: Station {
    /// The Ethernet header, which counts on a link.
    private static let overhead = 14
    /// The first byte of an IPv4 header without options; no datagram of a tunnel begins with it.
    private static let plain: UInt8 = 0x45

    private unowned let world: World
    private let side: Side
    private let tunnel: any Station
    /// The number of the flow that does not enter the tunnel.
    private let neighbor: Int
    private var arrived: [Slot] = []
    private var plainWake = Instant.never

    init(_ world: World, _ side: Side, tunnel: any Station, neighbor: Int) {
        self.world = world
        self.side = side
        self.tunnel = tunnel
        self.neighbor = neighbor
    }

    var wake: Instant { min(tunnel.wake, plainWake) }

    func take(_ frame: Slot, lane: Int, now: Instant) {
        guard world.frames.packet(in: frame)[0] == Self.plain else {
            return tunnel.take(frame, lane: lane, now: now)
        }
        arrived.append(frame)
        plainWake = min(plainWake, now + World.wakeup)
    }

    func send(_ length: Int, now: Instant, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let frame = world.frames.reserve()
        defer { world.frames.release(frame) }
        let room = world.frames.room(of: frame).slice(0, length)
        fill(room)
        let packet = UnsafeRawBufferPointer(room)
        if InnerHeader.flow(of: packet, at: side.opposite) == neighbor {
            world.offer(packet, overhead: Self.overhead, lane: side.rawValue)
        } else {
            tunnel.send(length, now: now) { $0.copyMemory(from: packet) }
        }
    }

    func turn(now: Instant) {
        if plainWake <= now {
            plainWake = .never
            for frame in arrived {
                world.deliver(UnsafeRawBufferPointer(world.frames.packet(in: frame)), at: side)
                world.frames.release(frame)
            }
            arrived.removeAll(keepingCapacity: true)
            world.finishTurn(at: side)
        }
        if tunnel.wake <= now { tunnel.turn(now: now) }
    }
}
