import Packet
import Proto
import Reorder
import Scheduler

/// The tunnel as one machine without sockets, clock or randomness of its own.
///
/// Its driver passes in arrivals and the time, calls `service`, and carries out the results: the datagrams in
/// the outbox, the packets to deliver, the events. Two Engines, some virtual links and a virtual clock make a
/// test that is reproducible to the bit.
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
    /// The peers' numbers by public key, for handshakes.
    var numbers: [PublicKey: Int]
    var routes: AddressTable
    var sessions = SessionTable()
    var timers = TimerQueue()
    /// Sessions with work to do since they were last serviced.
    var dirty = TurnList()
    /// Sessions that have sent their share of this turn and have more to send.
    var waiting = TurnList()
    /// Whether the last call of `service` left no work except for the sessions in `waiting`.
    var isTurnOver = true
    /// When `giveBackMemory` is to be called; `.never` while the slab is small.
    public internal(set) var nextMemoryCheck = Instant.never
    var mode: Mode
    /// In `redundant`, the number of paths that carry each packet; 0 means all.
    var redundantPaths: Int
    /// See `EngineConfiguration.classes`.
    var classes: [ServiceClass]
    /// Server: see `EngineConfiguration.outerMTU`.
    let outerMTU: Int

    /// Server: the part of the peers' sessions that this Engine has.
    let shard: Shard
    /// Server: packets from the TUN device that belong to other shards.
    var strays: Strays
    /// Server: inits that belong to other shards.
    var forwards: [ForwardedInit] = []
    /// Server: the check before the expensive part of a handshake.
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
    /// Datagrams that must leave before any session's: inits, responses, cookies.
    var handshakes = HandshakeOutbox()
    /// Client: the search for a session.
    var dialer: Dialer
    /// Client: see `EngineConfiguration.enrolment`.
    let enrolment: EngineConfiguration.Enrolment?
    /// Client: see `EngineConfiguration.version`.
    let version: String

    /// An Engine.
    /// - Parameters:
    ///   - seed: 32 unpredictable bytes; all of the Engine's randomness derives from them.
    ///   - cookieSeed: 32 unpredictable bytes shared by the shards of one server, so that each accepts the
    ///     others' cookies; `nil` if there is only one.
    public init(
        _ configuration: EngineConfiguration, staticKey: borrowing PrivateKey, seed: [UInt8],
        cookieSeed: [UInt8]? = nil
    ) {
        role = configuration.role
        // The check makes the cryptographic libraries compete now rather than when the first packet waits.
        precondition(configuration.suite.isAvailable, "no library here has \(configuration.suite)")
        suite = configuration.suite
        self.staticKey = staticKey.copy()
        shard = configuration.shard
        strays = Strays(shards: configuration.shard.count)
        resources = Resources(
            poolCapacity: configuration.poolCapacity, shard: configuration.shard.index, seed: seed)
        peers = configuration.peers.map { PeerState($0) }
        numbers = Self.numbers(configuration.peers)
        routes = Self.routes(configuration.peers, key: resources.flowKey)
        mode = configuration.mode
        redundantPaths = configuration.redundantPaths
        classes = configuration.classes
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

    private static func routes(_ peers: [EngineConfiguration.Peer], key: FlowKey) -> AddressTable {
        let numbered = peers.enumerated()
        return AddressTable(
            numbered.flatMap { index, peer in peer.addresses.map { ($0, index) } },
            networks: numbered.flatMap { index, peer in peer.networks.map { ($0, index) } }, key: key)
    }

    private static func numbers(_ peers: [EngineConfiguration.Peer]) -> [PublicKey: Int] {
        Dictionary(peers.enumerated().map { ($1.publicKey, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: - The slab

    /// A buffer for a packet from the TUN device; `Slot.none` if memory is out, which counts as a drop.
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

    /// Returns a buffer: one from `takeDelivery` once it is written, or a reserved one that was not used.
    public mutating func release(_ slot: Slot) { resources.pool.release(slot) }

    // MARK: - Towards the peer

    /// Takes a packet of `length` bytes that was read from the TUN device into `slot`. From here on the
    /// Engine owns the slot.
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

    /// The same for one of several packets that were split from one large packet, whose headers were parsed
    /// then: apart from the length they are the same in each.
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
        session.pointee.classify(packet, in: slot, &note, resources)
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

    // MARK: - Results

    /// Does the work that is due for every session with new input or an expired deadline.
    /// - Parameter wall: the time of day, for the time stamp of handshakes.
    /// - Returns: false if the outbox is full: flush it and call again.
    public mutating func service(into outbox: inout Outbox, now: Instant, wall: Timestamp) -> Bool {
        watchMemory(now: now)
        openInits(now: now)
        dial(now: now, wall: wall)
        if isTurnOver {
            dirty.postpone(&waiting)
            isTurnOver = false
        }
        guard handshakes.flush(into: &outbox) else { return false }
        while let due = timers.due(now) {
            timers.set(due, to: .never)
            if let session = sessions[due] { touch(session) }
        }
        while let next = dirty.next {
            guard let session = sessions[next] else {
                dirty.removeNext()
                continue
            }
            guard service(session, into: &outbox, now: now) else { return false }
            dirty.removeNext()
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
                waiting.append(session.pointee.index, priority: session.pointee.shaping.priority)
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

    /// The next packet for the TUN device, or `Slot.none`. The caller writes it and returns the slot with
    /// `release`.
    public mutating func takeDelivery() -> Slot {
        let slot = resources.deliveries.first
        if slot != .none { resources.deliveries.removeFirst(length: resources.pool.length(of: slot)) }
        return slot
    }

    /// A delivered packet, whose headers the caller may change before it releases the slot.
    public func delivery(_ slot: Slot) -> (packet: UnsafeMutableRawBufferPointer, hasPartialChecksum: Bool) {
        let shim = Shim(
            parsing: UnsafeRawBufferPointer(resources.pool.packet(in: slot, withPrefix: Wire.shimSize)))
        return (resources.pool.packet(in: slot), shim.flags & Shim.partialChecksum != 0)
    }

    /// The events since the last call.
    public mutating func takeEvents() -> [EngineEvent] {
        if resources.events.isEmpty { return [] }
        defer { resources.events.removeAll() }
        return resources.events
    }

    /// When `service` next has work to do if nothing arrives.
    public func nextDeadline() -> Instant {
        dirty.isEmpty && waiting.isEmpty ? min(timers.next, dialer.nextAttempt, inits.due) : .zero
    }

    // MARK: - Sessions

    /// Marks the session for the next `service`.
    mutating func touch(_ session: UnsafeMutablePointer<Session>) {
        if session.pointee.isDirty { return }
        session.pointee.isDirty = true
        dirty.append(session.pointee.index, priority: session.pointee.shaping.priority)
    }

    /// Ends a session at once and releases its resources.
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

    /// Replaces the peers, as after a reload of the configuration. Sessions of peers that remain, by public
    /// key, continue; those of removed peers end at once.
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
                    if role == .server {
                        session.pointee.owed.oweAssignment()
                        session.pointee.setLimits(configuration.limits)
                    }
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
        routes = Self.routes(configurations, key: resources.flowKey)
    }

    /// Tells every peer that the session ends, so that it need not find out by itself. The datagrams are in
    /// the outbox afterwards.
    public mutating func closeAll(into outbox: inout Outbox, now: Instant) {
        sessions.forEach { session in
            session.pointee.sendClose(into: &outbox, &resources, now: now)
        }
    }
}
