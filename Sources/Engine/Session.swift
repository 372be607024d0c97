import FEC
import Packet
import Proto
import Reorder
import Scheduler

/// One session with one peer: its keys, paths, sequences and order. It lives from a handshake until the peer
/// restarts or falls silent; new keys alone do not end it.
struct Session: ~Copyable {
    /// Its number in the Engine's timers.
    let index: Int
    /// The peer's number in the Engine's configuration.
    var peer: Int
    /// The name that events give the peer.
    var peerName: String
    let isClient: Bool
    /// Server: the peer's permissions.
    var kind = EngineConfiguration.Peer.Kind.client
    var isInvitation: Bool { kind != .client }
    let established: Instant

    var keys: Keys

    var mode: Mode
    /// In `redundant`, the number of paths that carry each packet; 0 means all.
    var redundantPaths: Int
    var paths = PathList()
    var removedPaths = RemovedPaths()
    var lanes = Lanes()
    /// In `preferred`, the path that comes first.
    var preference = Preference()
    /// Packet sizes that the paths in use carry.
    var reach = Reach()

    /// The next inner packet's sequence.
    var nextSequence: UInt64 = 0
    var flows = FlowTable()
    var sendQueue = SendQueue()
    /// Classes of service and rates.
    var shaping = Shaping()

    var correction = ForwardCorrection()

    /// Buffers of the slab that it may still take.
    var allowance = BufferAllowance()
    var delivery = Delivery()

    var owed = Owed()
    /// Client: the program's version. Server: the client's, as reported; empty if it reports none.
    var version = ""
    /// Client: number of consecutive handshakes that gave it new keys under which nothing was heard.
    var continuedInVain = 0
    /// Whether the peer has closed the session.
    var isClosedByPeer = false
    var lastHeard: Instant
    var lastData: Instant
    /// Bytes of data datagrams and packets, in both directions together.
    var carried: UInt64 = 0
    /// Time until which the tunnel counts as in use, extended by `noteCarried`.
    var usedUntil: Instant
    var alarms = AlarmBudget()
    /// Whether it has allocated the memory that carrying data takes.
    var hasGrown = false
    var isDirty = false
    /// Totals of paths that have been removed.
    var usage = PeerUsage()
    var counters = SessionCounters()

    init(
        index: Int, peer: Int, peerName: String, isClient: Bool, mode: Mode, redundantPaths: Int,
        epoch: UnsafeMutablePointer<Epoch>, isConfirmed: Bool, now: Instant
    ) {
        self.index = index
        self.peer = peer
        self.peerName = peerName
        self.isClient = isClient
        self.mode = mode
        self.redundantPaths = redundantPaths
        keys = Keys(epoch, isConfirmed: isConfirmed)
        established = now
        lastHeard = now
        lastData = now
        usedUntil = now
    }

    /// How long the session of an invitation's holder lasts. A client that needs longer connects again.
    static var enrolmentTime: Interval { .seconds(30) }

    /// When it ends whatever happens; `.never` unless it is an invitation's.
    var endsAt: Instant { isInvitation ? established + Self.enrolmentTime : .never }

    /// Removes a path permanently.
    mutating func removePath(at index: Int, pool: inout PacketPool) {
        removedPaths.insert(paths[index].pointee.id)
        usage.add(paths[index].pointee)
        paths.remove(at: index, pool: &pool)
        // Both refer to paths by index.
        lanes.removeAll()
        preference.remove(at: index)
    }

    /// Server: whether a path that the client begins to use may be added. If there are 16, a path that is not
    /// up and was silent for 10 s makes room, as the client's interfaces come and go.
    func hasRoom(for id: UInt16, now: Instant) -> Bool {
        removedPaths.admits(id) && (paths.count < Lanes.maximum || abandonedPath(now: now) != nil)
    }

    /// The index of the path that has been silent longest, if that is long enough to remove it.
    func abandonedPath(now: Instant) -> Int? {
        var oldest: Int?
        for i in 0..<paths.count where !paths[i].pointee.liveness.isUp {
            guard now - paths[i].pointee.lastHeard >= .seconds(10) else { continue }
            if oldest.map({ paths[i].pointee.lastHeard < paths[$0].pointee.lastHeard }) ?? true { oldest = i }
        }
        return oldest
    }

    /// Releases everything: packets, paths, keys.
    mutating func tearDown(_ resources: inout Resources) {
        resources.shares.update(from: allowance.held, to: 0)
        sendQueue.removeAll(pool: &resources.pool, notes: resources.notes)
        delivery.removeAll(pool: &resources.pool)
        correction.removeAll(pool: &resources.pool)
        while paths.count > 0 { paths.remove(at: 0, pool: &resources.pool) }
        keys.release(from: &resources.keyring)
    }
}

/// Totals and decisions of a session.
public struct SessionCounters: Sendable {
    /// Inner packets sent, copies not counted.
    public var sentPackets: UInt64 = 0
    /// Inner packets delivered to the TUN device.
    public var deliveredPackets: UInt64 = 0
    /// Handshakes that gave this session new keys.
    public var rekeys: UInt64 = 0
    /// Packets retransmitted because their path fell silent or lost them.
    public var resent: UInt64 = 0
    /// Packets that were lost and not retransmitted, because it was too late or too expensive.
    public var unrepaired: UInt64 = 0
    /// Interactive packets also sent on a second path.
    public var copied: UInt64 = 0
    /// Repair symbols sent: sums of packets, in advance of their loss.
    public var repairSymbols: UInt64 = 0
    /// Packets that were lost and recovered from the peer's repair symbols.
    public var recovered: UInt64 = 0
}
