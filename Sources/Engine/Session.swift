import FEC
import Packet
import Proto
import Reorder
import Scheduler

/// One session with one peer: its keys, its paths, its sequence, its order. It lives from a handshake until the peer
/// restarts or falls silent; new keys alone do not end it.
struct Session: ~Copyable {
    /// The number that the Engine's timers know it by.
    let index: Int
    /// The peer's number in the Engine's configuration.
    var peer: Int
    /// The name that events give the peer.
    var peerName: String
    let isClient: Bool
    /// Server: see `EngineConfiguration.Peer.isInvitation`.
    var isInvitation = false
    let established: Instant

    var keys: Keys

    var mode: Mode
    /// In `redundant`, over how many paths a packet goes; 0: all.
    var redundantPaths: Int
    var paths = PathList()
    var removedPaths = RemovedPaths()
    var lanes = Lanes()
    /// In `preferred`, which path comes first.
    var preference = Preference()
    /// What the paths in use carry.
    var reach = Reach()

    /// The next inner packet's sequence.
    var nextSequence: UInt64 = 0
    var flows = FlowTable()
    var sendQueue = SendQueue()

    var correction = ForwardCorrection()

    /// How many of the slab's buffers it may still take.
    var allowance = BufferAllowance()
    var delivery = Delivery()

    var owed = Owed()
    /// Client: the program's version. Server: the client's, as it says; empty from one that does not.
    var version = ""
    /// Client: how many handshakes in a row gave it new keys under which nothing was heard.
    var continuedInVain = 0
    /// Whether the peer has said good-bye.
    var isClosedByPeer = false
    var lastHeard: Instant
    var lastData: Instant
    /// Bytes of data datagrams and packets, both directions together.
    var carried: UInt64 = 0
    /// Until when the tunnel was in use, as `noteCarried` counts it.
    var usedUntil: Instant
    var alarms = AlarmBudget()
    /// Whether it has the memory that carrying data takes.
    var hasGrown = false
    var isDirty = false
    /// What paths have carried that were removed since.
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

    /// How long the session of an invitation's holder lasts. A client that needs longer comes again.
    static var enrolmentTime: Interval { .seconds(30) }

    /// When it ends whatever happens; `.never` for all but an invitation's.
    var endsAt: Instant { isInvitation ? established + Self.enrolmentTime : .never }

    /// Removes a path for good.
    mutating func removePath(at index: Int, pool: inout PacketPool) {
        removedPaths.insert(paths[index].pointee.id)
        usage.add(paths[index].pointee)
        paths.remove(at: index, pool: &pool)
        // Both know paths by their index.
        lanes.removeAll()
        preference.remove(at: index)
    }

    /// Server: whether a path that the client begins to use may be added. When there are 16, one makes room that is not up
    /// and was not heard of for 10 s, as the client's interfaces come and go.
    func hasRoom(for id: UInt16, now: Instant) -> Bool {
        removedPaths.admits(id) && (paths.count < Lanes.maximum || abandonedPath(now: now) != nil)
    }

    /// The index of the path that was not heard of for the longest time, if that is long enough to remove it.
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

/// What a session has carried and decided.
public struct SessionCounters: Sendable {
    /// Inner packets sent, copies not counted.
    public var sentPackets: UInt64 = 0
    /// Inner packets delivered to the TUN device.
    public var deliveredPackets: UInt64 = 0
    /// Handshakes that gave this session new keys.
    public var rekeys: UInt64 = 0
    /// Packets sent again because their path fell silent or lost them.
    public var resent: UInt64 = 0
    /// Packets that were lost and not sent again, as it was too late or too much.
    public var unrepaired: UInt64 = 0
    /// Interactive packets sent on a second path as well.
    public var copied: UInt64 = 0
    /// Repair symbols sent: sums of packets, in advance of their loss.
    public var repairSymbols: UInt64 = 0
    /// Packets that were lost and put together from repair symbols of the peer.
    public var recovered: UInt64 = 0
}
