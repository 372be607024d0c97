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
    let isClient: Bool
    /// Server: the peer's permissions.
    var kind = EngineConfiguration.Peer.Kind.client
    var isInvitation: Bool { kind != .client }
    let established: Instant

    /// The keys to send with.
    var epoch: UnsafeMutablePointer<Epoch>
    /// Server: new keys that the client has not used yet.
    var nextEpoch: UnsafeMutablePointer<Epoch>?
    /// The previous keys, for datagrams still in flight.
    var previousEpoch: UnsafeMutablePointer<Epoch>?
    /// Server: whether the client has proven with a first datagram that it holds the keys.
    var isConfirmed: Bool

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
    var queue = FlowQueues()
    /// Maximum number of bytes that may wait there.
    var queueLimit = 256 * 1024
    /// The paths' largest total rate in the last 10 s, in bytes a second.
    var capacity = WindowedExtremum(window: .seconds(10), keeps: .maximum)
    /// Largest amount of data, in bytes, that one flow could have had in flight in the last 10 s: the paths'
    /// measured rate times the full round trip plus the usual queueing delay.
    var volume = WindowedExtremum(window: .seconds(10), keeps: .maximum)
    /// CoDel's limits for a bulk flow's own queue.
    var queueLimits = CoDel.Limits()
    /// Packets with a sequence that must be retransmitted because their path fell silent or lost them.
    var resend = SlotQueue(bound: 32768)
    /// Packets that a path has just lost.
    var lost = SlotQueue(bound: 32768)
    /// Bytes that may be spent on repairs now.
    var repairBudget = Self.largestRepairBudget
    /// Bytes that may be spent on copies of interactive packets now.
    var copyBudget = Self.largestCopyBudget
    /// When limits and budgets were last updated.
    var limitedAt = Instant.zero

    /// Forward error correction of our packets, and of the peer's.
    var encoder = Encoder(prefix: Wire.shimSize)
    var decoder = Decoder(prefix: Wire.shimSize)
    var coding = CodingNeeds()

    /// Buffers of the slab that it may still take.
    var allowance = BufferAllowance()
    var reorder = ReorderBuffer()
    var hold = Interval.milliseconds(50)
    /// How long after a loss is evident its repair may arrive.
    var repairHold = Interval.milliseconds(50)
    /// The longest time that packets had to wait, or should have waited, in the last 10 s.
    var neededHold = WindowedExtremum(window: .seconds(10), keeps: .maximum)

    /// Client: whether the server has sent the tunnel's settings.
    var isAssigned = false
    /// Server: whether to send them to the client.
    var owesAssignment = false
    /// Server: when they were last sent.
    var assignedAt = Instant.zero
    /// Client: whether to report a mode or a path's role to the server at once.
    var owesPreferences = false
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
    var bench = Bench()
    var enrolling = Enrolling()
    var secrets = SecretExchange()
    /// Totals of paths that have been removed.
    var usage = PeerUsage()
    var counters = SessionCounters()

    init(
        index: Int, peer: Int, isClient: Bool, mode: Mode, redundantPaths: Int,
        epoch: UnsafeMutablePointer<Epoch>, isConfirmed: Bool, now: Instant
    ) {
        self.index = index
        self.peer = peer
        self.isClient = isClient
        self.mode = mode
        self.redundantPaths = redundantPaths
        self.epoch = epoch
        self.isConfirmed = isConfirmed
        established = now
        lastHeard = now
        lastData = now
        usedUntil = now
    }

    /// How long the session of an invitation's holder lasts. A client that needs longer connects again.
    static var enrolmentTime: Interval { .seconds(30) }

    /// When it ends whatever happens; `.never` unless it is an invitation's.
    var endsAt: Instant { isInvitation ? established + Self.enrolmentTime : .never }

    /// Whether a path is up. Without one a client searches for the server again.
    var hasPathUp: Bool {
        for i in 0..<paths.count where paths[i].pointee.carriesData { return true }
        return false
    }

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

    /// Makes the newest keys the ones to send with.
    mutating func promote(_ new: UnsafeMutablePointer<Epoch>, keyring: inout Keyring, now: Instant) {
        if let previousEpoch { Self.destroy(previousEpoch, keyring: &keyring) }
        epoch.pointee.retired = now
        previousEpoch = epoch
        epoch = new
        nextEpoch = nil
    }

    /// Forgets keys that were replaced 10 s ago.
    mutating func dropRetiredKeys(keyring: inout Keyring, now: Instant) {
        if let previous = previousEpoch, now - previous.pointee.retired >= Wire.keepOld {
            Self.destroy(previous, keyring: &keyring)
            previousEpoch = nil
        }
    }

    /// Erases keys and frees their ID.
    static func destroy(_ epoch: UnsafeMutablePointer<Epoch>, keyring: inout Keyring) {
        keyring.release(epoch.pointee.localID)
        epoch.deinitialize(count: 1)
        epoch.deallocate()
    }

    /// Releases everything: packets, paths, keys.
    mutating func tearDown(_ resources: inout Resources) {
        resources.shares.update(from: allowance.held, to: 0)
        queue.removeAll(pool: &resources.pool, notes: resources.notes)
        resend.removeAll(pool: &resources.pool)
        lost.removeAll(pool: &resources.pool)
        reorder.removeAll(pool: &resources.pool)
        encoder.removeAll(pool: &resources.pool)
        decoder.removeAll(pool: &resources.pool)
        while paths.count > 0 { paths.remove(at: 0, pool: &resources.pool) }
        if let nextEpoch { Self.destroy(nextEpoch, keyring: &resources.keyring) }
        if let previousEpoch { Self.destroy(previousEpoch, keyring: &resources.keyring) }
        Self.destroy(epoch, keyring: &resources.keyring)
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
