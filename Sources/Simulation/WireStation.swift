import Packet

/// An end without a tunnel: packets are sent unchanged over the first link.
final class WireStation: Station {
    /// The Ethernet header, which counts on a link.
    private static let overhead = 14

    private unowned let world: World
    private let side: Side
    private var arrived: [Slot] = []
    private(set) var wake = Instant.never

    init(_ world: World, _ side: Side) {
        self.world = world
        self.side = side
    }

    func take(_ frame: Slot, lane: Int, now: Instant) {
        arrived.append(frame)
        wake = min(wake, now + World.wakeup)
    }

    func send(_ length: Int, now: Instant, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let frame = world.frames.reserve()
        let room = world.frames.room(of: frame).slice(0, length)
        fill(room)
        world.offer(UnsafeRawBufferPointer(room), overhead: Self.overhead, lane: side.rawValue)
        world.frames.release(frame)
    }

    func turn(now: Instant) {
        wake = .never
        for frame in arrived {
            world.deliver(UnsafeRawBufferPointer(world.frames.packet(in: frame)), at: side)
            world.frames.release(frame)
        }
        arrived.removeAll(keepingCapacity: true)
        world.finishTurn(at: side)
    }
}
