import Packet
import Proto
import Reorder
import Scheduler

/// How one path does, for people and monitoring.
public struct PathReport: Sendable {
    /// The path's ID within its session.
    public let id: UInt16
    /// What the client calls it; empty while that is not known.
    public let name: String
    /// What it is for.
    public let role: PathRole
    /// Whether it has used up its data for the month.
    public let isSpent: Bool
    /// Whether it can be used.
    public let state: PathLiveness.State
    /// Where its datagrams go.
    public let link: Link?
    /// Smoothed round-trip time.
    public let rtt: Interval
    /// Mean deviation of the one-way delay to the peer.
    public let jitter: Interval
    /// Share of the datagrams sent lately that were lost, 0 to 1.
    public let loss: Double
    /// What the path carries to the peer as far as known, in bytes a second.
    public let rate: Double
    /// How much longer than the shortest the way to the peer takes now: what waits in queues.
    public let queueing: Interval
    /// Where the search for the path's rate stands.
    public let phase: RateModel.Phase
    /// The largest IP packet that carries a datagram to the peer as far as known, in bytes: the path's MTU.
    public let mtu: Int
    /// Whether what arrives on it with a congestion mark is taken for unmarked, as a network rewrites marks.
    public let ignoresMarks: Bool
    /// Whether what leaves on it has no ECN codepoint, as a network drops what has one.
    public let leavesUnmarked: Bool
    /// What it has carried.
    public let counters: PathCounters
    /// How many datagrams the peer has sent on it by the newest that came.
    public let expected: UInt64
}

/// How one session does, for people and monitoring.
public struct SessionReport: Sendable {
    /// The peer's name.
    public let peer: String
    /// The peer's first inner address.
    public let address: IPAddress?
    /// Whether a path is up.
    public let isUp: Bool
    /// How packets to the peer are spread.
    public let mode: Mode
    /// Server: the version of the client's program, as it says; empty from one that does not.
    public let version: String
    /// How old the keys are.
    public let keyAge: Interval
    /// Which preshared key they follow from.
    public let secret: SharedSecret
    /// How many packets wait before the paths.
    public let queued: Int
    /// How many were dropped there by CoDel, as their flow's queue stood.
    public let queueDropped: UInt64
    /// How many were marked instead, as their flow understands marks.
    public let queueMarked: UInt64
    /// How many packets wait for their order.
    public let held: Int
    /// How long a packet waits for its predecessor.
    public let hold: Interval
    /// What the reorder buffer has done.
    public let reorder: ReorderBuffer.Counters
    /// What the session has carried.
    public let counters: SessionCounters
    /// Its paths.
    public let paths: [PathReport]
}

extension Engine {
    /// Why packets and datagrams were dropped.
    public var drops: DropCounters { resources.drops }

    /// Which side of its sessions the Engine plays.
    public var isClient: Bool { role == .client }

    /// How packets are spread as long as a peer does not ask for another mode.
    public var currentMode: Mode { mode }

    /// In `redundant`, over how many paths a packet goes; 0: all.
    public var currentRedundantPaths: Int { redundantPaths }

    /// How many buffers are in use, of how many.
    public var buffers: (inUse: Int, capacity: Int) { (resources.pool.inUse, resources.pool.capacity) }

    /// Every session that carries its peer's packets.
    public func reports(now: Instant) -> [SessionReport] {
        var reports: [SessionReport] = []
        for peer in peers {
            guard let session = peer.session, !peer.configuration.isInvitation else { continue }
            var paths: [PathReport] = []
            for i in 0..<session.pointee.paths.count {
                paths.append(session.pointee.paths[i].pointee.report(now: now))
            }
            reports.append(
                SessionReport(
                    peer: peer.configuration.name, address: peer.configuration.addresses.first,
                    isUp: session.pointee.paths.isAnyUp, mode: session.pointee.mode,
                    version: session.pointee.version,
                    keyAge: now - session.pointee.keys.current.pointee.established,
                    secret: session.pointee.keys.current.pointee.secret,
                    queued: session.pointee.sendQueue.count, queueDropped: session.pointee.sendQueue.dropped,
                    queueMarked: session.pointee.sendQueue.marked, held: session.pointee.delivery.held,
                    hold: session.pointee.delivery.hold, reorder: session.pointee.delivery.counters,
                    counters: session.pointee.counters, paths: paths))
        }
        return reports
    }
}

extension Path {
    fileprivate func report(now: Instant) -> PathReport {
        PathReport(
            id: id, name: name, role: role, isSpent: isSpent, state: liveness.state, link: link,
            rtt: rtt.smoothed,
            jitter: delay.jitter,
            loss: lossRatio, rate: rate.rate ?? 0, queueing: delay.queueing, phase: rate.phase,
            mtu: mtu.confirmed + Self.headers(link), ignoresMarks: !marks.areTrusted(now: now),
            leavesUnmarked: !marks.mayLeave(now: now), counters: counters,
            expected: received.state.map { $0.highest + 1 - min(skippedByPeer, $0.highest) } ?? 0)
    }
}
