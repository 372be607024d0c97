import LinkModel
import Packet
import Proto

/// A client with valid keys and bad intentions, only for tests: it connects, proves its addresses, answers
/// PINGs and acknowledges as the protocol requires, and lies where its `Lie` says. Like the Engine it has no
/// socket, clock or randomness of its own, so that a seed repeats it.
///
///     peer.receive(datagram, on: link, now:)      peer.turn(now:, wall:)      peer.takeOutgoing() → links
public final class HostilePeer {
    /// The peer's identity towards the server.
    public struct Identity {
        /// The server's key.
        public var server: PublicKey
        /// The preshared key mixed into the handshake by both.
        public var presharedKey: PresharedKey
        /// Its address in the tunnel, IPv4, and one of the server's.
        public var address: IPAddress
        /// The destination of its inner packets.
        public var destination: IPAddress

        /// An identity; `address` is replaced by the one that the server assigns.
        public init(
            server: PublicKey, presharedKey: PresharedKey = .none, address: IPAddress, destination: IPAddress
        ) {
            self.server = server
            self.presharedKey = presharedKey
            self.address = address
            self.destination = destination
        }
    }

    /// A datagram to send.
    public struct Outgoing {
        /// The link to send it on.
        public var link: Int
        /// Which of the link's source ports to use, from 0.
        public var source: Int
        /// The datagram.
        public var bytes: [UInt8]
    }

    /// Totals of its traffic.
    public struct Counters: Sendable {
        /// Bytes of UDP payload sent, inits and all.
        public var sentBytes = 0
        /// Those of them in control datagrams.
        public var controlBytes = 0
        /// Bytes that arrived.
        public var receivedBytes = 0
        /// Handshakes that were answered.
        public var sessions = 0
        /// Bytes that arrived on the path that fell silent, in all and from 3 s after that on.
        public var silentBytes = 0
        /// See `silentBytes`.
        public var lateSilentBytes = 0
        /// CLOSE frames received: sessions ended by the server.
        public var closes = 0

        /// All zero.
        public init() {}
    }

    /// How long a silent session is kept.
    private static let patience = Interval.milliseconds(400)
    /// The number of source ports of a link.
    public static let sources = 8

    let lie: Lie
    var random: SeededGenerator
    var paths: [HostilePath] = []
    /// The next inner packet's sequence.
    var sequence: UInt64 = 0
    var identity: Identity
    /// µs by which its clock is ahead.
    let clock: UInt64
    /// The seed's choice of a variant of the lie: a factor, a look-ahead.
    let trait: UInt64
    /// The server's clock as its last PING told it, and when.
    var serverClock: (token: UInt64, at: Instant)?
    /// The last datagrams sent, for `copies`.
    var recent: [Outgoing] = []
    var keys: HostileKeys?
    /// Whether the session is young enough that lying would keep it from being set up.
    var honestUntil = Instant.zero
    var source = 0
    /// Since when the first link hears nothing: permanently, also in later sessions.
    var silentSince: Instant?
    /// Totals of its traffic.
    public internal(set) var counters = Counters()

    let links: Int
    private let megabits: Double
    private let asksForDownload: Bool
    private let staticKey: PrivateKey
    private var entropy: Entropy
    private var jars: [CookieJar]
    private var older: [HostileKeys] = []
    private var handshake: HostileHandshake?
    private var nextInit = Instant.zero
    private var lastTimestamp = Timestamp(seconds: 0, nanoseconds: 0)
    private var outgoing: [Outgoing] = []
    /// Bits that the lie may still send.
    private var credit = 0.0
    private var lastTurn: Instant?
    private var lastHeard = Instant.zero
    private var nextPing = Instant.zero
    private var nextBench = Instant.zero
    private var nextData = Instant.zero
    private var nextAck = Instant.zero
    private var room = [UInt8](repeating: 0, count: Wire.maximumDatagram)

    /// A peer that is not connected yet.
    /// - Parameters:
    ///   - staticKey: its private key, which the server knows.
    ///   - links: the number of links to the server.
    ///   - asksForDownload: whether it has the server send test packets, if its lie has a use for them: their
    ///     cost exceeds that of the lie's own frames.
    ///   - megabits: maximum rate of the lie, in Mbit/s of UDP payload.
    ///   - seed: the seed of all random choices.
    public init(
        _ identity: Identity, staticKey: borrowing PrivateKey, lie: Lie, seed: UInt64, megabits: Double,
        links: Int, asksForDownload: Bool = true
    ) {
        self.identity = identity
        self.asksForDownload = asksForDownload && lie.wantsDownload
        self.lie = lie
        self.links = links
        self.megabits = megabits
        var random = SeededGenerator(seed: seed)
        clock = [0, 0, random.next() >> 20, random.next() >> 15].randomElement(using: &random)!
        trait = random.next()
        entropy = Entropy(seed: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        self.random = random
        self.staticKey = staticKey.copy()
        jars = (0..<links).map { _ in CookieJar(responder: identity.server) }
    }

    /// Whether it has a session.
    public var isConnected: Bool { keys != nil }

    /// Takes the datagrams to send.
    public func takeOutgoing() -> [Outgoing] {
        defer { outgoing.removeAll(keepingCapacity: true) }
        return outgoing
    }

    // MARK: - In

    /// Handles a datagram that arrived on a link.
    public func receive(_ datagram: UnsafeRawBufferPointer, on link: Int, now: Instant) {
        counters.receivedBytes += datagram.count
        guard let header = Header(parsing: datagram) else { return }
        switch header.kind {
        case .handshakeResponse: complete(datagram, now: now)
        case .cookie:
            guard let handshake, let mac = handshake.macs[link] else { return }
            if jars[link].read(datagram, answering: mac, now: now) { nextInit = min(nextInit, now) }
        case .data, .control: open(datagram, header, now: now)
        case .handshakeInit: break
        }
    }

    private func complete(_ datagram: UnsafeRawBufferPointer, now: Instant) {
        guard let handshake, let new = try? handshake.initiator.readResponse(datagram) else { return }
        let continues = new.payload.continues && keys != nil
        if let keys { older = Array(([keys] + older).prefix(3)) }
        keys = HostileKeys(new, localID: handshake.initiator.sessionID)
        self.handshake = nil
        counters.sessions += 1
        lastHeard = now
        if !continues {
            sequence = 0
            paths = (0..<links).map { HostilePath(id: UInt16($0 + 1), link: $0) }
            honestUntil = now + (lie == .closeStorm ? .milliseconds(30) : .milliseconds(600))
        }
        for index in paths.indices.prefix(links) { ping(index, now: now) }
    }

    private func open(_ datagram: UnsafeRawBufferPointer, _ header: Header, now: Instant) {
        guard let keys = ([keys].compactMap(\.self) + older).first(where: { $0.localID == header.sessionID }),
            datagram.count >= Wire.minimumSealed, datagram.count <= room.count,
            let index = paths.firstIndex(where: { $0.id == header.pathID })
        else { return }
        let isOpen = room.withUnsafeMutableBytes {
            keys.established.keys.receiving.open(
                datagram.dropping(Wire.headerSize), into: $0, header: datagram.slice(0, Wire.headerSize),
                pathID: header.pathID, packetNumber: header.packetNumber)
        }
        guard isOpen else { return }
        if keys === self.keys { lastHeard = now }
        if index == 0, let since = silentSince {
            // It arrives where no one listens; only its number is visible on the wire.
            counters.silentBytes += datagram.count
            if now - since >= .seconds(3) { counters.lateSilentBytes += datagram.count }
            paths[0].claim.seen = max(paths[0].claim.seen, header.packetNumber)
            return
        }
        paths[index].note(header.packetNumber, size: datagram.count, now: now)
        guard header.kind == .control else { return }
        let payload = Array(room[..<(datagram.count - Wire.minimumSealed)])
        payload.withUnsafeBytes { heed($0, on: index, now: now) }
    }

    private func heed(_ payload: UnsafeRawBufferPointer, on index: Int, now: Instant) {
        var reader = FrameReader(payload)
        while let frame = reader.next() {
            switch frame {
            case .ping(let token):
                serverClock = (token, now)
                send(.control, Self.payload([.pong(token)]), on: index)
            case .pathChallenge(let token): send(.control, Self.payload([.pathResponse(token)]), on: index)
            case .assign:
                if let own = reader.assignment?.addresses.first(where: { $0.address.family == .v4 }) {
                    identity.address = own.address
                }
            case .close:
                counters.closes += 1
                leave(until: now + .milliseconds(100))
                return
            default: break
            }
        }
    }

    /// Drops the session; the next handshake starts at `moment`.
    func leave(until moment: Instant) {
        keys = nil
        older.removeAll()
        paths.removeAll()
        nextInit = moment
    }

    // MARK: - Out

    /// Does all pending work. To be called about every millisecond.
    public func turn(now: Instant, wall: Timestamp) {
        let elapsed = lastTurn.map { (now - $0).seconds } ?? 0
        lastTurn = now
        if keys == nil || lie == .rekeyStorm && now >= honestUntil, now >= nextInit {
            dial(now: now, wall: wall)
        }
        guard keys != nil else { return }
        // A server that has gone away sends nothing.
        if now - lastHeard > Self.patience { return leave(until: now) }
        attend(now: now)
        guard now >= honestUntil else { return }
        credit = min(credit + elapsed * megabits * 1e6, 0.01 * megabits * 1e6 + 20_000)
        // A lie that costs nothing must end, too.
        for _ in 0..<2000 where credit > 0 && keys != nil {
            let before = counters.sentBytes
            strike(lie, now: now)
            let spent = counters.sentBytes - before
            if spent == 0 { break }
            credit -= Double(spent * 8)
        }
    }

    private func dial(now: Instant, wall: Timestamp) {
        // Each init needs a later time stamp, whatever the clock shows.
        lastTimestamp = max(wall, lastTimestamp.advanced)
        if handshake == nil || lie == .rekeyStorm || lie == .closeStorm {
            guard
                let initiator = try? Initiator(
                    staticKey: staticKey, responder: identity.server, presharedKey: identity.presharedKey,
                    sessionID: UInt32.random(in: 1...(.max), using: &random),
                    payload: InitPayload(
                        timestamp: lastTimestamp, previousSession: keys?.established.sessionID ?? 0),
                    entropy: &entropy)
            else { return }
            handshake = HostileHandshake(initiator, links: links)
        }
        let pace = Interval.milliseconds(keys == nil ? 250 : Int64(max(1, 1504 / (megabits * 1000))))
        nextInit = now + pace
        guard let handshake else { return }
        for link in 0..<(keys == nil ? links : 1) {
            var bytes = [UInt8](repeating: 0, count: Wire.initSize)
            let cookie = jars[link].current(now)
            handshake.macs[link] = bytes.withUnsafeMutableBytes {
                handshake.initiator.writeInit(pathID: UInt16(link + 1), cookie: cookie, to: $0).mac1
            }
            put(Outgoing(link: link, source: source, bytes: bytes))
        }
    }

    /// The actions of an honest client: acknowledge, ask, send a little.
    private func attend(now: Instant) {
        if now >= nextAck {
            nextAck = now + .milliseconds(5)
            for index in paths.indices where paths[index].owesAck || index == 0 && silentSince != nil {
                acknowledge(index, now: now)
                if keys == nil { return }
            }
        }
        if now >= nextPing {
            nextPing = now + .milliseconds(100)
            for index in paths.indices.prefix(links) {
                ping(index, now: now)
            }
        }
        if asksForDownload, now >= nextBench, now >= honestUntil - .milliseconds(300), !paths.isEmpty {
            nextBench = now + .milliseconds(250)
            send(
                .control, Self.payload([.bench(BenchFrame(milliseconds: 1000))]), on: paths.count > 1 ? 1 : 0)
        }
        if now >= nextData, lie != .enrolment {
            nextData = now + .milliseconds(10)
            sendPacket(size: 200, distance: 0, on: 0)
        }
    }

    private func ping(_ index: Int, now: Instant) {
        send(.control, Self.payload([.ping(now.microseconds &+ clock)]), flags: 1, on: index)
    }

    /// Sends an inner UDP packet of `size` bytes from its own address.
    func sendPacket(
        size: Int, distance: UInt16, flags: UInt8 = 0, from source: IPAddress? = nil, on index: Int
    ) {
        var payload = [UInt8](repeating: 0, count: Wire.shimSize + max(size, 20))
        payload.withUnsafeMutableBytes { payload in
            Shim(distance: distance, trafficClass: UInt8(random.next() & 3), flags: flags).write(to: payload)
            let packet = payload.dropping(Wire.shimSize)
            packet[0] = 0x45
            packet.storeBigEndian(UInt16(packet.count), at: 2)
            packet[8] = 64
            packet[9] = 17
            (source ?? identity.address).write(to: packet.dropping(12))
            identity.destination.write(to: packet.dropping(16))
            if packet.count >= 28 {
                packet.storeBigEndian(UInt16(7777), at: 20)
                packet.storeBigEndian(UInt16(9), at: 22)
                packet.storeBigEndian(UInt16(packet.count - 20), at: 24)
            }
        }
        send(.data, payload, sequence: sequence, on: index)
        sequence &+= 1
    }

    /// Seals a datagram with the session's keys.
    func send(_ kind: Kind, _ payload: [UInt8], sequence: UInt64? = nil, flags: UInt8 = 0, on index: Int) {
        guard let keys, paths.indices.contains(index),
            payload.count <= Wire.maximumDatagram - Wire.minimumSealed
        else { return }
        let path = paths[index]
        paths[index].next += 1
        var datagram = [UInt8](repeating: 0, count: Wire.minimumSealed + payload.count)
        datagram.withUnsafeMutableBytes { datagram in
            Header(
                kind: kind, flags: flags, sessionID: keys.established.sessionID,
                sequence: sequence ?? self.sequence, pathID: path.id, packetNumber: path.next
            ).write(to: datagram)
            payload.withUnsafeBytes {
                _ = keys.established.keys.sending.seal(
                    $0, into: datagram.dropping(Wire.headerSize),
                    header: UnsafeRawBufferPointer(datagram.slice(0, Wire.headerSize)), pathID: path.id,
                    packetNumber: path.next)
            }
        }
        if kind == .control { counters.controlBytes += datagram.count }
        put(Outgoing(link: path.link, source: source, bytes: datagram))
    }

    func put(_ datagram: Outgoing) {
        counters.sentBytes += datagram.bytes.count
        outgoing.append(datagram)
        guard lie == .copies || lie == .everything else { return }
        if recent.count >= 64 { recent.removeFirst(32) }
        recent.append(datagram)
    }

    /// The concatenation of as many of the frames as fit.
    static func payload(_ frames: [Frame]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Wire.maximumDatagram - Wire.minimumSealed)
        let count = bytes.withUnsafeMutableBytes { bytes in
            var writer = FrameWriter(bytes)
            for frame in frames where !writer.append(frame) { break }
            return writer.count
        }
        return Array(bytes[..<count])
    }
}

extension Timestamp {
    /// A nanosecond later.
    fileprivate var advanced: Timestamp {
        nanoseconds < 999_999_999
            ? Timestamp(seconds: seconds, nanoseconds: nanoseconds + 1)
            : Timestamp(seconds: seconds + 1, nanoseconds: 0)
    }
}
