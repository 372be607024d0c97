import Packet

/// An end of a tunnel whose host also sends one flow past it, over the first link: a neighbor in the same queue.
final class NeighborStation: Station {
    /// The first byte of an IPv4 header without options; no datagram of a tunnel begins with it.
    private static let plain: UInt8 = 0x45

    private unowned let world: World
    private let side: Side
    private let tunnel: any Station
    private let wire: WireStation
    /// The number of the flow that does not enter the tunnel.
    private let neighbor: Int

    init(_ world: World, _ side: Side, tunnel: any Station, neighbor: Int) {
        self.world = world
        self.side = side
        self.tunnel = tunnel
        wire = WireStation(world, side)
        self.neighbor = neighbor
    }

    var wake: Instant { min(tunnel.wake, wire.wake) }

    func take(_ frame: Slot, lane: Int, now: Instant) {
        let isPlain = world.frames.packet(in: frame)[0] == Self.plain
        (isPlain ? wire : tunnel).take(frame, lane: lane, now: now)
    }

    func send(_ length: Int, now: Instant, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let frame = world.frames.reserve()
        defer { world.frames.release(frame) }
        let room = world.frames.room(of: frame).slice(0, length)
        fill(room)
        let packet = UnsafeRawBufferPointer(room)
        let isNeighbor = InnerHeader.flow(of: packet, at: side.opposite) == neighbor
        (isNeighbor ? wire : tunnel).send(length, now: now) { $0.copyMemory(from: packet) }
    }

    func turn(now: Instant) {
        if wire.wake <= now { wire.turn(now: now) }
        if tunnel.wake <= now { tunnel.turn(now: now) }
    }
}
