import Packet

/// How many of the slab's buffers each session may hold: dynamic thresholds (Choudhury and Hahne, "Dynamic
/// queue length thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2),
/// 1998).
///
/// A session may take another buffer while it holds fewer than α times the number of free ones, with α = 3 /
/// n for n sessions that hold more than a few. So a single session may have three quarters of the slab,
/// several greedy ones get equal shares of three quarters, and a quarter stays free for the others whatever
/// they do.
struct BufferShares {
    /// A session that holds at most this many buffers does not count.
    static let few = 16

    /// Number of sessions that hold more than a few.
    private(set) var holders = 0

    /// A session that held `before` buffers now holds `after`.
    mutating func update(from before: Int, to after: Int) {
        holders += (after > Self.few ? 1 : 0) - (before > Self.few ? 1 : 0)
    }

    /// Number of buffers that a session may hold while `free` are free.
    func limit(free: Int) -> Int { 3 * free / max(holders, 1) }
}

/// Buffers that one session may still take until its share is measured again, once per turn.
struct BufferAllowance {
    /// Buffers held when last counted; one that is in several queues counts once for each.
    private(set) var held = 0
    /// Packets that may still wait for their order, for a repair or for an ACK.
    private var toKeep = Int.max / 4
    /// Packets that may still wait to be sent: twice the share, so that packets in flight leave room for new
    /// ones.
    private var toQueue = Int.max / 4

    /// Whether another packet may be kept.
    var mayKeep: Bool { toKeep > 0 }
    /// Whether more packets wait to be sent than allowed.
    var isQueueOver: Bool { toQueue < 0 }

    /// Counts a packet that is kept.
    mutating func keep() { toKeep -= 1 }
    /// Counts `packets` more that wait to be sent, or fewer if negative.
    mutating func queue(_ packets: Int) {
        toKeep -= packets
        toQueue -= packets
    }

    /// Records that the session holds `now` buffers.
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
