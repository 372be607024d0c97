import Glibc
import LinkModel

/// The state of the emulator's thread: lanes, frames in flight and their buffers.
struct EmulatorState: ~Copyable {
    /// Maximum number of frames read from a TAP before others, and waiters for the lock, get their turn.
    private static let batch = 64

    var lanes: [Lane] = []
    var isStopping = false
    private var slab: FrameSlab
    private var flying: DeliveryHeap<UInt32>
    /// The buffer for frames that are dropped because no buffer is left.
    private let scratch = UnsafeMutableRawPointer.allocate(byteCount: FrameSlab.stride, alignment: 64)

    /// - Parameter memory: bytes for frames in flight.
    init(memory: Int) {
        slab = FrameSlab(memory: memory)
        flying = DeliveryHeap(capacity: slab.capacity)
    }

    deinit { scratch.deallocate() }

    /// Reads from the lane identified by epoll's `tag` (any other tag only wakes the thread) and delivers
    /// frames that are due: more than were read, including copies, so that frames never accumulate.
    mutating func serve(tag: UInt64, now: UInt64) {
        guard tag < UInt64(lanes.count) else { return }
        receive(lane: Int(tag), now: now)
        deliver(now: now)
    }

    /// Reads frames from the TAP of a lane, up to a batch, and decides the fate of each.
    private mutating func receive(lane: Int, now: UInt64) {
        for _ in 0..<Self.batch {
            if lanes[lane].tap < 0 { return }
            let frame = slab.reserve()
            let room = if let frame { slab.room(frame) } else { scratch }
            let length = read(lanes[lane].tap, room, FrameSlab.stride)
            if length <= 0 {
                if let frame { slab.release(frame) }
                // The device was deleted: remove it, or epoll would report it forever.
                if length < 0, errno != EAGAIN && errno != EINTR && errno != EIO { dropTap(of: lane) }
                return
            }
            lanes[lane].counters.sent += 1
            lanes[lane].counters.sentBytes += UInt64(length)
            guard let frame else {
                lanes[lane].counters.queueDropped += 1
                continue
            }
            slab.setLength(length, frame)
            if lanes[lane].hasCarrier {
                send(frame, length, lane, now)
            } else {
                lanes[lane].counters.vanished += 1
                slab.release(frame)
            }
        }
    }

    private mutating func send(_ frame: UInt32, _ length: Int, _ lane: Int, _ now: UInt64) {
        switch lanes[lane].model.offer(bytes: length, at: now) {
        case .delivered(let time):
            flying.push(time: time, frame: frame, lane: lane)
        case .duplicated(let time, let copyTime):
            flying.push(time: time, frame: frame, lane: lane)
            if let copy = slab.reserve() {
                slab.room(copy).copyMemory(from: slab.room(frame), byteCount: length)
                slab.setLength(length, copy)
                flying.push(time: copyTime, frame: copy, lane: lane)
                lanes[lane].counters.duplicated += 1
            }
        case .queueFull:
            lanes[lane].counters.queueDropped += 1
            slab.release(frame)
        case .lost:
            lanes[lane].counters.lost += 1
            slab.release(frame)
        case .down:
            lanes[lane].counters.vanished += 1
            slab.release(frame)
        }
    }

    /// Delivers the frames that arrive by `now`, up to two batches.
    mutating func deliver(now: UInt64) {
        for _ in 0..<(2 * Self.batch) {
            guard let entry = flying.pop(dueBy: now) else { return }
            let lane = Int(entry.lane)
            let far = lanes[lane ^ 1]
            let length = slab.length(entry.frame)
            if !lanes[lane].model.shape.isDown, far.hasCarrier, far.tap >= 0,
                write(far.tap, slab.room(entry.frame), length) == length
            {
                lanes[lane].counters.delivered += 1
                lanes[lane].counters.deliveredBytes += UInt64(length)
            } else {
                lanes[lane].counters.vanished += 1
            }
            slab.release(entry.frame)
        }
    }

    /// When the next frame arrives.
    var nextDelivery: UInt64? { flying.nextTime }

    /// Closes the TAP of a lane; its device vanishes.
    mutating func dropTap(of lane: Int) {
        if lanes[lane].tap >= 0 { close(lanes[lane].tap) }
        lanes[lane].tap = -1
    }
}
