import Engine
import Packet
import Proto
import Scheduler

/// A server's Engine and a client's, each in a session with a scripted peer, which has the keys and seals the input's bytes.
final class FuzzWorld {
    static let serverEndpoint = Endpoint(address: IPAddress(v4: 0xCB00_7107), port: 5000)
    static let clientEndpoint = Endpoint(address: IPAddress(v4: 0xC633_6401), port: 40000)

    var server: Engine
    var client: Engine
    private var outbox = Outbox()
    private(set) var now = Instant(nanoseconds: 5_000_000_000)
    var entropy: Entropy
    let serverKey: [UInt8]
    let clientKey: [UInt8]
    /// The keys of an invitation.
    let invitationKeys: (privateKey: [UInt8], presharedKey: PresharedKey) = (
        [UInt8](repeating: 3, count: 32), PresharedKey(bytes: [UInt8](repeating: 4, count: 32))
    )
    /// The server's peers.
    let peers: [EngineConfiguration.Peer]
    /// The keys of the session with the server, as its client has them, and of the one with the client.
    var towardsServer: TransportKeys?
    var towardsClient: TransportKeys?
    var serverSession: UInt32 = 0
    var clientSession: UInt32 = 0
    /// The next packet number and the last sequence of the scripted peers.
    var number: UInt64 = 0
    var sequence: UInt64 = 0
    /// What both ends have sent within their sessions.
    private(set) var fromServer = Sightings()
    private(set) var fromClient = Sightings()
    /// The server's answers to handshakes, and the client's last init.
    var answers: [[UInt8]] = []
    private(set) var clientInit: [UInt8] = []
    /// The cookies of the server's scripted client.
    var jar: CookieJar
    let datagram = UnsafeMutableRawBufferPointer.allocate(
        byteCount: Wire.maximumDatagram, alignment: 64)
    let opened = UnsafeMutableRawBufferPointer.allocate(
        byteCount: Wire.maximumDatagram, alignment: 64)

    /// - Parameter enrols: whether the client under test enrols with an invitation.
    init(seed: UInt8, enrols: Bool = false) {
        serverKey = (0..<32).map { seed &+ UInt8($0) &* 7 &+ 1 }
        clientKey = (0..<32).map { seed &+ UInt8($0) &* 5 &+ 99 }
        entropy = Entropy(seed: [UInt8](repeating: seed, count: 32))
        let serverPrivate = PrivateKey(bytes: serverKey)
        let clientPrivate = PrivateKey(bytes: clientKey)
        let inner = IPAddress(v4: 0x0A4D_0002)
        let assignment = AssignFrame(
            mtu: 1400, addresses: [InterfaceAddress(address: inner, prefix: 24)], dns: [], routes: [])
        let peer = EngineConfiguration.Peer(
            name: "laptop", publicKey: clientPrivate.publicKey, addresses: [inner], assignment: assignment)
        peers = [peer, Self.invitation(PrivateKey(bytes: invitationKeys.privateKey).publicKey)]
        jar = CookieJar(responder: serverPrivate.publicKey)
        server = Engine(
            EngineConfiguration(role: .server, peers: peers, poolCapacity: 512),
            staticKey: serverPrivate, seed: [UInt8](repeating: seed, count: 32))
        var configuration = EngineConfiguration(
            role: .client,
            peers: [EngineConfiguration.Peer(name: "server", publicKey: serverPrivate.publicKey)],
            poolCapacity: 512)
        if enrols {
            configuration.enrolment = EngineConfiguration.Enrolment(
                publicKey: clientPrivate.publicKey, host: "host")
        }
        client = Engine(
            configuration, staticKey: clientPrivate, seed: [UInt8](repeating: seed &+ 1, count: 32))
        for id in [UInt16(1), 2] {
            client.setPath(
                id, role: .primary, link: Link(socket: id, remote: Self.serverEndpoint), now: now)
        }
        service()
    }

    deinit {
        datagram.deallocate()
        opened.deallocate()
    }

    /// Whether both ends have a session.
    var isConnected: Bool { !server.reports(now: now).isEmpty && !client.reports(now: now).isEmpty }

    private static func invitation(_ key: PublicKey) -> EngineConfiguration.Peer {
        var peer = EngineConfiguration.Peer(
            name: "invitation 1", publicKey: key,
            presharedKey: PresharedKey(bytes: [UInt8](repeating: 4, count: 32)))
        peer.kind = .invitation(id: 1)
        return peer
    }

    // MARK: - Without keys

    /// Passes a datagram to both ends.
    func receive(_ bytes: UnsafeRawBufferPointer) {
        advance(by: .milliseconds(1))
        server.receive(bytes, from: Link(socket: 0, remote: Self.clientEndpoint), now: now)
        client.receive(bytes, from: Link(socket: 1, remote: Self.serverEndpoint), now: now)
        service()
    }

    // MARK: - With keys

    /// Completes a handshake with both ends.
    func connect() {
        shakeHandsWithServer()
        shakeHandsWithClient()
        // The first datagram of a client confirms its session.
        send(.control, [], path: 1, sequence: 0, flags: 0, toServer: true)
        service()
    }

    private func shakeHandsWithServer() {
        guard
            let initiator = try? Initiator(
                staticKey: PrivateKey(bytes: clientKey), responder: PrivateKey(bytes: serverKey).publicKey,
                sessionID: 77, payload: InitPayload(timestamp: wall), entropy: &entropy)
        else { fatalError("the handshake can't begin") }
        let length = initiator.writeInit(pathID: 1, cookie: nil, to: datagram).length
        server.receive(
            UnsafeRawBufferPointer(rebasing: datagram[..<length]),
            from: Link(socket: 0, remote: Self.clientEndpoint), now: now)
        _ = server.service(into: &outbox, now: now, wall: wall)
        precondition(outbox.count == 1, "the server has not answered the init")
        guard
            let established = try? initiator.readResponse(
                UnsafeRawBufferPointer(outbox.datagram(outbox[0])))
        else { fatalError("the server's response can't be read") }
        outbox.clear()
        serverSession = established.sessionID
        towardsServer = established.takeKeys()
    }

    private func shakeHandsWithClient() {
        advance(by: .seconds(2))
        _ = client.service(into: &outbox, now: now, wall: wall)
        precondition(outbox.count > 0, "the client has not begun a handshake")
        guard
            let responder = try? Responder(
                reading: UnsafeRawBufferPointer(outbox.datagram(outbox[0])),
                staticKey: PrivateKey(bytes: serverKey))
        else { fatalError("the client's init can't be read") }
        outbox.clear()
        clientSession = responder.initiatorSession
        guard
            let response = try? responder.respond(
                sessionID: 78, payload: ResponsePayload(continues: false), pathID: 1, entropy: &entropy,
                to: datagram)
        else { fatalError("the response can't be written") }
        let length = response.length
        towardsClient = response.takeKeys()
        client.receive(
            UnsafeRawBufferPointer(rebasing: datagram[..<length]),
            from: Link(socket: 1, remote: Self.serverEndpoint), now: now)
        service()
    }

    /// Makes the peer send the datagrams described by the input, one after the other:
    ///
    ///     kind and path 1 ‖ milliseconds to wait before 1 ‖ length 2 ‖ data alone: sequence 2 ‖ bytes
    func say(_ bytes: UnsafeRawBufferPointer, toServer: Bool) {
        var rest = bytes
        var pieces = 0
        while rest.count >= 4, pieces < 64 {
            pieces += 1
            let head = rest[0]
            advance(by: .milliseconds(Int64(rest[1])))
            let length = min(Int(rest.bigEndian(at: 2, as: UInt16.self)) % 1900, rest.count - 4)
            let body = rest.slice(4, length)
            rest = rest.dropping(4 + length)
            let path = UInt16(head >> 4 & 3)
            if head & 1 == 0 {
                send(.control, body, path: path, sequence: 0, flags: head >> 1 & 1, toServer: toServer)
            } else if length >= 2 {
                let sequence = UInt64(body.bigEndian(at: 0, as: UInt16.self))
                let flags = head >> 1 & 1
                send(
                    .data, body.dropping(2), path: path, sequence: sequence, flags: flags, toServer: toServer)
            }
            if head & 8 != 0 { reply(toServer: toServer) }
            service()
        }
    }

    func send(
        _ kind: Kind, _ payload: [UInt8], path: UInt16, sequence: UInt64, flags: UInt8, toServer: Bool
    ) {
        payload.withUnsafeBytes {
            send(kind, $0, path: path, sequence: sequence, flags: flags, toServer: toServer)
        }
    }

    func send(
        _ kind: Kind, _ payload: UnsafeRawBufferPointer, path: UInt16, sequence: UInt64, flags: UInt8,
        toServer: Bool
    ) {
        let session = toServer ? serverSession : clientSession
        Header(
            kind: kind, flags: flags, sessionID: session, sequence: sequence, pathID: path,
            packetNumber: number
        ).write(to: datagram)
        let out = datagram.dropping(Wire.headerSize)
        let header = UnsafeRawBufferPointer(datagram.slice(0, Wire.headerSize))
        let length =
            toServer
            ? towardsServer?.sending.seal(
                payload, into: out, header: header, pathID: path, packetNumber: number)
            : towardsClient?.sending.seal(
                payload, into: out, header: header, pathID: path, packetNumber: number)
        number &+= 1
        guard let length else { return }
        let sealed = UnsafeRawBufferPointer(rebasing: datagram[..<(Wire.headerSize + length)])
        if toServer {
            server.receive(sealed, from: Link(socket: 0, remote: Self.clientEndpoint), now: now)
        } else {
            client.receive(sealed, from: Link(socket: path, remote: Self.serverEndpoint), now: now)
        }
    }

    /// Makes the end under test send a packet of its own.
    func reply(toServer: Bool) {
        let slot = toServer ? server.reserve() : client.reserve()
        guard slot != .none else { return }
        var packet = [UInt8](repeating: 0, count: 100)
        packet.replaceSubrange(0..<4, with: [0x45, 0, 0, 100])
        packet.replaceSubrange(8..<20, with: [64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2])
        if toServer {
            server.room(of: slot).copyBytes(from: packet)
            server.send(slot, length: packet.count, now: now)
        } else {
            client.room(of: slot).copyBytes(from: packet)
            client.send(slot, length: packet.count, now: now)
        }
    }

    // MARK: - Time

    var wall: Timestamp {
        Timestamp(seconds: 1_700_000_000 + now.nanoseconds / 1_000_000_000, nanoseconds: 0)
    }

    func advance(by time: Interval) { now = now + time }

    /// Lets both ends do their pending work; a turn must terminate.
    func service() {
        for isServer in [true, false] {
            var turns = 0
            while true {
                let isDone =
                    isServer
                    ? server.service(into: &outbox, now: now, wall: wall)
                    : client.service(into: &outbox, now: now, wall: wall)
                for index in 0..<outbox.count {
                    note(UnsafeRawBufferPointer(outbox.datagram(outbox[index])), ofServer: isServer)
                }
                outbox.clear()
                turns += 1
                precondition(turns < 1000, "a turn does not end")
                if isDone { break }
            }
            while true {
                let slot = isServer ? server.takeDelivery() : client.takeDelivery()
                if slot == .none { break }
                if isServer { server.release(slot) } else { client.release(slot) }
            }
            _ = isServer ? server.takeEvents() : client.takeEvents()
        }
        precondition(server.buffers.inUse <= server.buffers.capacity)
        precondition(client.buffers.inUse <= client.buffers.capacity)
    }

    /// A scripted peer sees a datagram.
    private func note(_ datagram: UnsafeRawBufferPointer, ofServer: Bool) {
        guard let header = Header(parsing: datagram) else { return }
        switch header.kind {
        case .handshakeInit: clientInit = Array(datagram)
        case .handshakeResponse, .cookie: if answers.count < 8 { answers.append(Array(datagram)) }
        case .data:
            if ofServer {
                fromServer.note(header, size: datagram.count)
            } else {
                fromClient.note(header, size: datagram.count)
            }
        case .control:
            let sealed = datagram.dropping(Wire.headerSize)
            let head = datagram.slice(0, Wire.headerSize)
            let isOpen =
                ofServer
                ? towardsServer?.receiving.open(
                    sealed, into: opened, header: head, pathID: header.pathID,
                    packetNumber: header.packetNumber)
                : towardsClient?.receiving.open(
                    sealed, into: opened, header: head, pathID: header.pathID,
                    packetNumber: header.packetNumber)
            let length = isOpen == true ? datagram.count - Wire.minimumSealed : 0
            let frames = UnsafeRawBufferPointer(rebasing: opened[..<length])
            if ofServer {
                fromServer.note(header, size: datagram.count)
                fromServer.note(frames)
            } else {
                fromClient.note(header, size: datagram.count)
                fromClient.note(frames)
            }
        }
    }
}

extension Established {
    /// Exposes its keys.
    consuming func takeKeys() -> TransportKeys { keys }
}

extension HandshakeResponse {
    consuming func takeKeys() -> TransportKeys { keys }
}
