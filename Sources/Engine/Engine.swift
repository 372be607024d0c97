import Packet
import Proto
import Reorder
import Scheduler

/// The tunnel as one machine without sockets, clock or randomness of its own.
///
/// A driver passes in arrivals and the time, calls `service`, and carries out the results. Two Engines, some virtual links and a virtual
/// clock make a test that repeats to the bit. The contract, in the order of the calls of one turn:
///
/// 1. Input, any number of times: `receive` for each datagram, `receiveForwarded` for those of other shards; `reserve`, `room` and
///    `send` for each packet of the TUN device. These only note what is to be done.
/// 2. Work: `service`, until it returns true. Each time it returns false the outbox is full: flush it and call again.
/// 3. Output, after each call of `service`: the outbox to the sockets; `takeDelivery`, `delivery` and `release` until no packet is
///    left for the TUN device; `takeEvents`; on a server with shards `takeStray` and `takeForwards`, for the others.
/// 4. Sleep until something arrives or `nextDeadline` has come. `nextMemoryCheck` has a deadline of its own, for `giveBackMemory`.
///
/// Changes from outside are input like any other, followed by a `service`: `setPath`, `removePath`, `pathFailed` and `refuse` for
/// paths; `setMode`, `setRedundantPaths`, `replacePeers`, `replaceRoots` and `keep` for the configuration; `settle` for an
/// enrolment; `measure` for test packets. `reports`, `usage`, `drops` and the other read-only members may be read at any time.
/// `closeAll` is the last call.
///
///     engine.receive(datagram, from: link, now:)     engine.send(slot, now:)
///     engine.service(into: &outbox, now:, wall:)
///     outbox → sockets      engine.takeDelivery() → TUN      engine.takeEvents()
public struct Engine: ~Copyable {
    let role: EngineConfiguration.Role
    let suite: CipherSuite
    let staticKey: PrivateKey
    var resources: Resources
    var peers: [PeerState]
    /// The peers' numbers by their keys, for handshakes.
    var numbers: [PublicKey: Int]
    var routes: AddressTable
    var sessions = SessionTable()
    var timers = TimerQueue()
    /// Sessions that something happened to since they were last serviced.
    var dirty: [Int32] = []
    /// Sessions that have sent their share of this turn and have more.
    var waiting: [Int32] = []
    /// Whether the last call of `service` has left nothing to do but for those.
    var isTurnOver = true
    /// When `giveBackMemory` is to be called; `.never` while the slab is small.
    public internal(set) var nextMemoryCheck = Instant.never
    var mode: Mode
    /// In `redundant`, over how many paths a packet goes; 0: all.
    var redundantPaths: Int
    /// Server: see `EngineConfiguration.outerMTU`.
    let outerMTU: Int

    /// Server: which part of the peers' sessions is here.
    let shard: Shard
    /// Server: packets from the TUN device that belong to other shards.
    var strays: Strays
    /// Server: inits that belong to other shards.
    var forwards: [ForwardedInit] = []
    /// Server: the guard before the handshake's costly part.
    var gatekeeper: Gatekeeper
    var admission = HandshakeAdmission()
    /// Server: see `EngineConfiguration.roots`.
    var roots: RootSecrets
    /// Client: see `EngineConfiguration.secrets`.
    var secrets: ClientSecrets
    var sources: SourceBuckets
    var inits: HandshakeInbox
    var strangers = Strangers()
    var handshakeRecord = HandshakeRecord()
    /// Datagrams that must leave before any session's: handshakes, responses, cookies.
    var handshakes = HandshakeOutbox()
    /// Client: the search for a session.
    var dialer: Dialer
    /// Client: see `EngineConfiguration.enrolment`.
    let enrolment: EngineConfiguration.Enrolment?
    /// Client: see `EngineConfiguration.version`.
    let version: String

    /// An Engine.
    /// - Parameters:
    ///   - seed: 32 unpredictable bytes; all its randomness comes from them.
    ///   - cookieSeed: 32 unpredictable bytes that the shards of one server share, so that each honours the others'
    ///     cookies; nil for one alone.
    public init(
        _ configuration: EngineConfiguration, staticKey: borrowing PrivateKey, seed: [UInt8],
        cookieSeed: [UInt8]? = nil
    ) {
        role = configuration.role
        // Asking makes the libraries compete now, and not when the first packet waits.
        precondition(configuration.suite.isAvailable, "no library here has \(configuration.suite)")
        suite = configuration.suite
        self.staticKey = staticKey.copy()
        shard = configuration.shard
        strays = Strays(shards: configuration.shard.count)
        resources = Resources(
            poolCapacity: configuration.poolCapacity, shard: configuration.shard.index, seed: seed)
        peers = configuration.peers.map { PeerState($0) }
        numbers = Self.numbers(configuration.peers)
        routes = Self.routes(configuration.peers)
        mode = configuration.mode
        redundantPaths = configuration.redundantPaths
        roots = configuration.roots
        secrets = configuration.secrets
        outerMTU = configuration.outerMTU
        enrolment = configuration.enrolment
        version = configuration.version
        if let cookieSeed {
            var shared = Entropy(seed: cookieSeed)
            gatekeeper = Gatekeeper(staticPublic: staticKey.publicKey, entropy: &shared)
        } else {
            gatekeeper = Gatekeeper(staticPublic: staticKey.publicKey, entropy: &resources.entropy)
        }
        sources = SourceBuckets(gatekeeper.sourceHash, isServer: configuration.role == .server)
        inits = HandshakeInbox(isServer: configuration.role == .server)
        dialer = Dialer(server: configuration.peers.first?.publicKey ?? staticKey.publicKey)
        if configuration.role == .server { dialer.nextAttempt = .never }
    }

    private static func routes(_ peers: [EngineConfiguration.Peer]) -> AddressTable {
        let numbered = peers.enumerated()
        return AddressTable(
            numbered.flatMap { index, peer in peer.addresses.map { ($0, index) } },
            networks: numbered.flatMap { index, peer in peer.networks.map { ($0, index) } })
    }

    private static func numbers(_ peers: [EngineConfiguration.Peer]) -> [PublicKey: Int] {
        Dictionary(peers.enumerated().map { ($1.publicKey, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: - The slab

    /// A buffer for a packet from the TUN device; `Slot.none` when memory is out, which counts as a drop.
    public mutating func reserve() -> Slot {
        let slot = resources.pool.reserve()
        if slot == .none { resources.drops.noBuffer += 1 }
        return slot
    }

    /// Room for a packet in a reserved buffer.
    public func room(of slot: Slot) -> UnsafeMutableRawBufferPointer { resources.pool.room(of: slot) }

    /// The packet in a buffer.
    public func packet(in slot: Slot) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(resources.pool.packet(in: slot))
    }

    /// Gives a buffer back: one from `takeDelivery` once it is written, or a reserved one that was not used.
    public mutating func release(_ slot: Slot) { resources.pool.release(slot) }

    // MARK: - Towards the peer

    /// Takes a packet of `length` bytes that was read from the TUN device into `slot`. The slot is the Engine's from here.
    /// - Parameter hasPartialChecksum: whether its transport checksum holds only the pseudo header's sum.
    public mutating func send(_ slot: Slot, length: Int, hasPartialChecksum: Bool = false, now: Instant) {
        resources.pool.setLength(length, of: slot)
        guard let packet = InnerPacket(parsing: UnsafeRawBufferPointer(resources.pool.packet(in: slot)))
        else {
            resources.drops.notIP += 1
            resources.pool.release(slot)
            return
        }
        send(slot, as: packet, length: packet.length, hasPartialChecksum: hasPartialChecksum, now: now)
    }

    /// The same for one of several packets of a flow that were cut from one, whose headers were read then: they say the
    /// same of each but for its length.
    public mutating func send(
        _ slot: Slot, as packet: InnerPacket, length: Int, hasPartialChecksum: Bool = false, now: Instant
    ) {
        resources.pool.setLength(length, of: slot)
        guard let peer = role == .client ? 0 : routes.find(packet.destination) else {
            resources.drops.noRoute += 1
            resources.pool.release(slot)
            return
        }
        guard let session = peers[peer].session else {
            let owner = peers[peer].configuration.shard
            if owner != shard.index {
                setAside(slot, for: owner, hasPartialChecksum: hasPartialChecksum)
                return
            }
            resources.drops.noSession += 1
            resources.pool.release(slot)
            return
        }
        var note = PacketNotes.Note()
        note.entered = now
        note.flow = packet.flow(resources.flowKey)
        note.trafficClass = packet.trafficClass
        note.hasPartialChecksum = hasPartialChecksum
        if sendCut(slot, note, in: session, now: now) {
            touch(session)
            return
        }
        resources.notes[slot] = note
        InnerPacket.clampSegments(
            in: resources.pool.packet(in: slot), to: session.pointee.reach.smallest,
            hasPartialChecksum: hasPartialChecksum)
        if length > session.pointee.reach.smallest {
            session.pointee.adviseSmaller(slot, &resources, now: now)
        }
        session.pointee.enqueue(slot, length: length, &resources, now: now)
        touch(session)
    }

    // MARK: - What came of it

    /// Does what is due for every session that something happened to, or whose time has come.
    /// - Parameter wall: the time of day, for the time stamp of handshakes.
    /// - Returns: false when the outbox is full: flush it and call again.
    public mutating func service(into outbox: inout Outbox, now: Instant, wall: Timestamp) -> Bool {
        watchMemory(now: now)
        openInits(now: now)
        dial(now: now, wall: wall)
        if isTurnOver {
            // The last is the first to be serviced: these have had their share.
            dirty.insert(contentsOf: waiting, at: 0)
            waiting.removeAll(keepingCapacity: true)
            isTurnOver = false
        }
        guard handshakes.flush(into: &outbox) else { return false }
        while let due = timers.due(now) {
            timers.set(due, to: .never)
            if let session = sessions[due] { touch(session) }
        }
        while !dirty.isEmpty {
            guard let session = sessions[Int(dirty[dirty.count - 1])] else {
                dirty.removeLast()
                continue
            }
            guard service(session, into: &outbox, now: now) else { return false }
            dirty.removeLast()
        }
        isTurnOver = true
        return true
    }

    private mutating func service(
        _ session: UnsafeMutablePointer<Session>, into outbox: inout Outbox, now: Instant
    ) -> Bool {
        if session.pointee.isClosedByPeer || now - session.pointee.lastHeard >= Wire.rejectAfter
            || session.pointee.keys.expiry <= now
        {
            close(session)
            return true
        }
        if session.pointee.endsAt <= now {
            session.pointee.sendClose(into: &outbox, &resources, now: now)
            close(session)
            return true
        }
        session.pointee.attend(&resources, now: now)
        session.pointee.release(&resources, now: now)
        session.pointee.measureShare(&resources)
        if session.pointee.keys.isConfirmed || role == .client {
            let assignment =
                session.pointee.owed.assignment ? peers[session.pointee.peer].configuration.assignment : nil
            guard
                session.pointee.control(
                    into: &outbox, &resources, assignment: assignment, enrolment: enrolment, now: now)
            else { return false }
            switch session.pointee.transmit(into: &outbox, &resources, now: now) {
            case .full: return false
            case .spent:
                waiting.append(Int32(session.pointee.index))
                return true
            case .done: break
            }
        }
        session.pointee.isDirty = false
        session.pointee.measureShare(&resources)
        timers.set(session.pointee.index, to: deadline(of: session, now: now))
        return true
    }

    private func deadline(of session: UnsafeMutablePointer<Session>, now: Instant) -> Instant {
        let expiry = min(
            session.pointee.lastHeard + Wire.rejectAfter,
            session.pointee.keys.expiry)
        return min(expiry, session.pointee.endsAt, session.pointee.nextDeadline(now: now))
    }

    /// The next packet for the TUN device, or `Slot.none`. The caller writes it and gives the slot back with `release`.
    public mutating func takeDelivery() -> Slot {
        let slot = resources.deliveries.first
        if slot != .none { resources.deliveries.removeFirst(length: resources.pool.length(of: slot)) }
        return slot
    }

    /// A delivered packet, whose headers the caller may change before it gives the slot back.
    public func delivery(_ slot: Slot) -> (packet: UnsafeMutableRawBufferPointer, hasPartialChecksum: Bool) {
        let shim = Shim(
            parsing: UnsafeRawBufferPointer(resources.pool.packet(in: slot, withPrefix: Wire.shimSize)))
        return (resources.pool.packet(in: slot), shim.flags & Shim.partialChecksum != 0)
    }

    /// What has happened since the last call.
    public mutating func takeEvents() -> [EngineEvent] {
        if resources.events.isEmpty { return [] }
        defer { resources.events.removeAll() }
        return resources.events
    }

    /// When `service` has something to do again without anything arriving.
    public func nextDeadline() -> Instant {
        dirty.isEmpty && waiting.isEmpty ? min(timers.next, dialer.nextAttempt, inits.due) : .zero
    }

    // MARK: - Sessions

    /// Has `service` look at the session.
    mutating func touch(_ session: UnsafeMutablePointer<Session>) {
        if session.pointee.isDirty { return }
        session.pointee.isDirty = true
        dirty.append(Int32(session.pointee.index))
    }

    /// Ends a session at once and releases all it holds.
    mutating func close(_ session: UnsafeMutablePointer<Session>) {
        let peer = session.pointee.peer
        peers[peer].usage.add(session.pointee.totalUsage())
        if peers[peer].session == session {
            peers[peer].session = nil
            resources.events.append(.closed(peer: peers[peer].configuration.name))
            if role == .client { dialer.restart() }
        }
        if peers[peer].pending == session { peers[peer].pending = nil }
        let index = session.pointee.index
        timers.set(index, to: .never)
        session.pointee.tearDown(&resources)
        sessions.remove(index)
    }

    /// Replaces the peers, as after a reload of the configuration. Sessions of peers that stay, by public key, go on; those
    /// of peers that are gone end at once.
    public mutating func replacePeers(_ configurations: [EngineConfiguration.Peer]) {
        var old = peers
        peers = configurations.map { PeerState($0) }
        numbers = Self.numbers(configurations)
        for index in old.indices {
            if let place = numbers[old[index].configuration.publicKey],
                peers[place].configuration.presharedKey == old[index].configuration.presharedKey
            {
                let configuration = peers[place].configuration
                peers[place] = old[index]
                peers[place].configuration = configuration
                for session in [peers[place].session, peers[place].pending] {
                    guard let session else { continue }
                    session.pointee.peer = place
                    session.pointee.peerName = configuration.name
                    if role == .server { session.pointee.owed.oweAssignment() }
                    touch(session)
                }
                old[index].session = nil
                old[index].pending = nil
            }
        }
        for state in old {
            for session in [state.session, state.pending] {
                guard let session else { continue }
                let index = session.pointee.index
                timers.set(index, to: .never)
                session.pointee.tearDown(&resources)
                sessions.remove(index)
            }
            if state.session != nil { resources.events.append(.closed(peer: state.configuration.name)) }
        }
        routes = Self.routes(configurations)
    }

    /// Says good-bye to every peer, so that it need not find out. The datagrams are in the outbox afterwards.
    public mutating func closeAll(into outbox: inout Outbox, now: Instant) {
        sessions.forEach { session in
            session.pointee.sendClose(into: &outbox, &resources, now: now)
        }
    }
}
