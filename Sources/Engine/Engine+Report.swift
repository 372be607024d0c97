import Packet
import Proto
import Reorder
import Scheduler

/// State of one path, for people and monitoring.
public struct PathReport: Sendable {
    /// The path's ID within its session.
    public let id: UInt16
    /// The client's name for it; empty while unknown.
    public let name: String
    /// Its role.
    public let role: PathRole
    /// Whether it has used up its data for the month.
    public let isSpent: Bool
    /// Whether it is usable.
    public let state: PathLiveness.State
    /// Where its datagrams go.
    public let link: Link?
    /// Smoothed round-trip time.
    public let rtt: Interval
    /// Mean deviation of the one-way delay to the peer.
    public let jitter: Interval
    /// Share of the datagrams sent lately that were lost, 0 to 1.
    public let loss: Double
    /// Rate towards the peer as far as known, in bytes a second.
    public let rate: Double
    /// Current one-way delay to the peer less the shortest: the queueing delay.
    public let queueing: Interval
    /// Phase of the search for the path's rate.
    public let phase: RateModel.Phase
    /// The path's MTU as far as known: the largest IP packet that carries a datagram to the peer, in bytes.
    public let mtu: Int
    /// Whether congestion marks on received datagrams are ignored, because a network rewrites them.
    public let ignoresMarks: Bool
    /// Whether datagrams leave without an ECN codepoint, because a network drops those that have one.
    public let leavesUnmarked: Bool
    /// Totals of the path's traffic.
    public let counters: PathCounters
    /// Number of datagrams that the peer had sent on it up to the newest one received.
    public let expected: UInt64
}

/// State of one session, for people and monitoring.
public struct SessionReport: Sendable {
    /// The peer's name.
    public let peer: String
    /// The peer's first inner address.
    public let address: IPAddress?
    /// Whether a path is up.
    public let isUp: Bool
    /// How packets to the peer are scheduled.
    public let mode: Mode
    /// Server: the version that the client's program reports; empty if it reports none.
    public let version: String
    /// Age of the keys.
    public let keyAge: Interval
    /// The preshared key from which they were derived.
    public let secret: SharedSecret
    /// Packets waiting before the paths.
    public let queued: Int
    /// Packets that CoDel dropped there because of a standing queue in their flow.
    public let queueDropped: UInt64
    /// Packets that CoDel marked there instead, because their flow supports ECN.
    public let queueMarked: UInt64
    /// Packets waiting for their order.
    public let held: Int
    /// How long a packet waits for its predecessor.
    public let hold: Interval
    /// The reorder buffer's counters.
    public let reorder: ReorderBuffer.Counters
    /// Totals of the session.
    public let counters: SessionCounters
    /// Its paths.
    public let paths: [PathReport]
    /// Its classes of service, the default class first; none without configured ones.
    public let classes: [ClassReport]
    /// Server: the client's limits. Client: `rateUp` is the rate that the server allows.
    public let limits: PeerLimits
}

extension Engine {
    /// Why packets and datagrams were dropped.
    public var drops: DropCounters { resources.drops }

    /// Whether the Engine is the client.
    public var isClient: Bool { role == .client }

    /// The scheduling mode while a peer does not ask for another.
    public var currentMode: Mode { mode }

    /// In `redundant`, the number of paths that carry each packet; 0 means all.
    public var currentRedundantPaths: Int { redundantPaths }

    /// Buffers in use, and their total.
    public var buffers: (inUse: Int, capacity: Int) { (resources.pool.inUse, resources.pool.capacity) }

    /// Reports on every session that carries its peer's packets.
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
                    counters: session.pointee.counters, paths: paths, classes: session.pointee.classReports,
                    limits: role == .server
                        ? peer.configuration.limits : PeerLimits(rateUp: session.pointee.sendQueue.rate)))
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
