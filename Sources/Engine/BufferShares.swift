import Packet

/// How many of the slab's buffers each session may hold: dynamic thresholds (Choudhury and Hahne, "Dynamic queue length
/// thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998).
///
/// A session may take another buffer while it holds less than α times what is free, with α = 3 / n for n sessions that hold more
/// than a few. So one alone may have three quarters of the slab, several that want all they can get have equal parts of three
/// quarters, and a quarter stays free for the others whatever they do.
struct BufferShares {
    /// A session that holds no more than this does not count.
    static let few = 16

    /// How many sessions hold more than a few.
    private(set) var holders = 0

    /// A session that held `before` buffers holds `after`.
    mutating func update(from before: Int, to after: Int) {
        holders += (after > Self.few ? 1 : 0) - (before > Self.few ? 1 : 0)
    }

    /// How many a session may hold while `free` are.
    func limit(free: Int) -> Int { 3 * free / max(holders, 1) }
}

/// What one session may still take until its share is measured again, which is once a turn.
struct BufferAllowance {
    /// The buffers that it held when that was last counted, one in several queues as often.
    private(set) var held = 0
    /// What may still wait for its order, for a repair or for an ACK.
    private var toKeep = Int.max / 4
    /// What may still wait to be sent: twice the share, so that packets under way leave room for new ones.
    private var toQueue = Int.max / 4

    /// Whether another packet may be kept.
    var mayKeep: Bool { toKeep > 0 }
    /// Whether more wait to be sent than may.
    var isQueueOver: Bool { toQueue < 0 }

    /// A packet is kept.
    mutating func keep() { toKeep -= 1 }
    /// `packets` more wait to be sent, or fewer.
    mutating func queue(_ packets: Int) {
        toKeep -= packets
        toQueue -= packets
    }

    /// The session holds `now` buffers.
    mutating func measure(_ now: Int, shares: inout BufferShares, pool: borrowing PacketPool) {
        shares.update(from: held, to: now)
        held = now
        let limit = shares.limit(free: pool.capacity - pool.inUse)
        toKeep = limit - now
        toQueue = 2 * limit - now
    }
}

extension Session {
    /// Counts the buffers that the session holds.
    mutating func measureShare(_ resources: inout Resources) {
        var held = sendQueue.held + delivery.held + correction.held
        for i in 0..<paths.count {
            let path = paths[i]
            held += path.pointee.queue.count + path.pointee.urgent.count + path.pointee.sent.held
        }
        allowance.measure(held, shares: &resources.shares, pool: resources.pool)
    }
}
