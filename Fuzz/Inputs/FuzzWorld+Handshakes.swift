import Engine
import Packet
import Proto
import Scheduler

// Handshakes whose contents the input chooses and this end seals, so that they pass MAC1 and the tags.
extension FuzzWorld {
    /// Steps of one input.
    private static let mostSteps = 12

    /// Makes both peers take a few steps of handshakes, and the host of the server change who may connect.
    func shakeHands(_ bytes: UnsafeRawBufferPointer) {
        var choices = Choices(bytes)
        for _ in 0..<Self.mostSteps where !choices.isEmpty {
            switch choices.below(8) {
            case 0...2: sendInit(&choices)
            case 3, 4: answerClient(&choices)
            case 5: advance(by: .milliseconds(Int64(choices.byte()) << Int64(choices.below(8))))
            case 6: instructServer(&choices)
            default: send(.control, [], path: choices.path(), sequence: 0, flags: 1, toServer: true)
            }
            service()
        }
    }

    /// An init to the server, and the next datagram of its session if the server answers.
    private func sendInit(_ choices: inout Choices) {
        let invitation = invitationKeys
        let who = choices.below(4)
        let bytes =
            switch who {
            case 0, 1: clientKey
            case 2: invitation.privateKey
            default: [UInt8](repeating: choices.byte() | 1, count: 32)
            }
        let key = PrivateKey(bytes: bytes)
        let generation = UInt32(truncatingIfNeeded: choices.word())
        let given = Self.roots(choices.below(4))[generation].map { $0.presharedKey(of: key.publicKey) }
        let presharedKey = who == 2 ? invitation.presharedKey : given ?? .none
        let payload = InitPayload(
            timestamp: Timestamp(
                seconds: choices.near(wall.seconds), nanoseconds: UInt32(truncatingIfNeeded: choices.word())),
            previousSession: choices.flag() ? serverSession : UInt32(truncatingIfNeeded: choices.word()),
            secretGeneration: generation)
        let suite: CipherSuite = choices.below(16) == 0 ? .aes256gcm : .chacha20poly1305
        guard
            let initiator = try? Initiator(
                staticKey: key, responder: PrivateKey(bytes: serverKey).publicKey, presharedKey: presharedKey,
                suite: suite, sessionID: UInt32(truncatingIfNeeded: choices.word()), payload: payload,
                entropy: &entropy)
        else { return }
        let (length, mac1) = initiator.writeInit(
            pathID: choices.path(), cookie: choices.flag() ? jar.current(now) : nil, to: datagram)
        let link = Link(socket: 0, remote: choices.source())
        // Many copies put the server under load.
        for _ in 0..<(choices.byte() < 8 ? 300 : 1) {
            server.receive(UnsafeRawBufferPointer(rebasing: datagram[..<length]), from: link, now: now)
        }
        answers = []
        service()
        for answer in answers {
            answer.withUnsafeBytes { answer in
                _ = jar.read(answer, answering: mac1, now: now)
                _ = initiator.refusal(in: answer)
                guard let established = try? initiator.readResponse(answer) else { return }
                serverSession = established.sessionID
                towardsServer = established.takeKeys()
            }
        }
        guard choices.flag() else { return }
        send(.control, [], path: choices.path(), sequence: 0, flags: 1, toServer: true)
    }

    /// An answer to the client's last init: a response, a refusal, a cookie, or another version.
    private func answerClient(_ choices: inout Choices) {
        advance(by: .milliseconds(Int64(choices.byte()) * 20))
        service()
        let key = choices.below(16) == 0 ? clientKey : serverKey
        opened.copyBytes(from: clientInit)
        let initiation = UnsafeRawBufferPointer(rebasing: opened[..<clientInit.count])
        guard let responder = try? Responder(reading: initiation, staticKey: PrivateKey(bytes: key)) else {
            return
        }
        let session = responder.initiatorSession
        let link = Link(socket: UInt16(1 + choices.below(2)), remote: Self.serverEndpoint)
        let length: Int
        switch choices.below(8) {
        case 0:
            let refusals = Refusal.allCases
            length = responder.writeRefusal(
                refusals[choices.below(refusals.count)], pathID: choices.path(), to: datagram)
        case 1:
            let gatekeeper = Gatekeeper(
                staticPublic: PrivateKey(bytes: serverKey).publicKey, entropy: &entropy)
            length = gatekeeper.writeCookie(
                answering: initiation, to: Self.clientEndpoint, now: now, entropy: &entropy, into: datagram)
        case 2:
            Header(kind: .cookie, flags: choices.byte() & 15, sessionID: session, pathID: choices.path())
                .write(to: datagram)
            length = Wire.headerSize
        default:
            guard
                let response = try? responder.respond(
                    sessionID: UInt32(truncatingIfNeeded: choices.word()),
                    payload: ResponsePayload(continues: choices.flag()), pathID: choices.path(),
                    entropy: &entropy, to: datagram)
            else { return }
            length = response.length
            clientSession = session
            towardsClient = response.takeKeys()
        }
        for _ in 0...choices.below(2) {
            client.receive(UnsafeRawBufferPointer(rebasing: datagram[..<length]), from: link, now: now)
        }
    }

    /// The server's configuration, secrets or enrolments change.
    private func instructServer(_ choices: inout Choices) {
        let invitation = invitationKeys
        switch choices.below(4) {
        case 0:
            let kept = peers.filter { _ in choices.below(4) != 0 }
            server.replacePeers(choices.flag() ? kept : kept.reversed())
        case 1: server.replaceRoots(Self.roots(choices.below(4)), now: now)
        case 2:
            server.settle(
                invitation: choices.below(3), publicKey: PrivateKey(bytes: clientKey).publicKey,
                outcome: EnrolOutcome(rawValue: UInt8(choices.below(6))) ?? .stored)
        default:
            client.keep(
                ClientSecret(
                    generation: UInt32(1 + choices.below(4)), key: invitation.presharedKey))
        }
    }

    /// The server's root secrets: none, or two generations from that one on.
    private static func roots(_ oldest: Int) -> RootSecrets {
        guard oldest > 0 else { return .none }
        return RootSecrets(
            (oldest...oldest + 1).compactMap { generation in
                let key = PresharedKey(bytes: [UInt8](repeating: UInt8(generation), count: 32))
                return RootSecret(generation: UInt32(generation), base64: key.base64)
            })
    }
}

extension Choices {
    /// One of a few paths, or any.
    mutating func path() -> UInt16 {
        let first = byte()
        return first < 240 ? UInt16(first & 3) : UInt16(truncatingIfNeeded: word())
    }

    /// An address of the peer: one of a few, so that handshakes come from several.
    fileprivate mutating func source() -> Endpoint {
        let number = byte()
        guard number & 1 == 1 else { return FuzzWorld.clientEndpoint }
        guard number & 2 == 2 else {
            return Endpoint(address: IPAddress(v4: 0xC633_6400 | UInt32(number)), port: 40000)
        }
        return Endpoint(address: IPAddress(v6High: 0x2001_0DB8 << 32, low: UInt64(number)), port: 40000)
    }
}
