import Engine
import Packet
import Proto
import Scheduler

// Frames and data that fit the state of the session: ACKs of packets that were sent, repairs of packets that may be missing,
// answers to real challenges; with fields that the input moves away from the truth.
extension FuzzWorld {
    /// Steps of one input.
    private static let mostSteps = 64

    /// What the end under test has sent, as its scripted peer has seen it.
    struct Sightings {
        /// By the low two bits of the path's ID.
        var highest: [UInt64] = [0, 0, 0, 0]
        var packets: [UInt64] = [0, 0, 0, 0]
        var bytes: [UInt64] = [0, 0, 0, 0]
        /// Tokens of the last PING and the last PATH_CHALLENGE.
        var ping: UInt64 = 0
        var challenge: UInt64 = 0

        mutating func note(_ header: Header, size: Int) {
            let path = Int(header.pathID & 3)
            highest[path] = max(highest[path], header.packetNumber)
            packets[path] += 1
            bytes[path] += UInt64(size)
        }

        mutating func note(_ frames: UnsafeRawBufferPointer) {
            var reader = FrameReader(frames)
            while let frame = reader.next() {
                switch frame {
                case .ping(let token): ping = token
                case .pathChallenge(let token): challenge = token
                default: break
                }
            }
        }
    }

    /// Makes a peer send datagrams whose frames the input chooses.
    func tell(_ bytes: UnsafeRawBufferPointer) {
        var choices = Choices(bytes)
        let toServer = choices.flag()
        let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: 1900, alignment: 8)
        defer { payload.deallocate() }
        var writer = FrameWriter(payload)
        for _ in 0..<Self.mostSteps where !choices.isEmpty {
            let kind = choices.below(32)
            switch kind {
            case 0..<20: append(kind, &choices, to: &writer, toServer: toServer)
            case 20..<24: tellPacket(&choices, toServer: toServer)
            case 24: advance(by: .milliseconds(Int64(choices.byte()) << Int64(choices.below(4))))
            case 25: for _ in 0...choices.below(32) { reply(toServer: toServer) }
            case 26: number = choices.near(number)
            default:
                send(
                    .control, UnsafeRawBufferPointer(rebasing: payload[..<writer.count]),
                    path: choices.path(), sequence: choices.near(sequence), flags: choices.byte() & 3,
                    toServer: toServer)
                writer = FrameWriter(payload)
                service()
            }
        }
        send(
            .control, UnsafeRawBufferPointer(rebasing: payload[..<writer.count]), path: 1, sequence: sequence,
            flags: 1, toServer: toServer)
        service()
    }

    private func append(
        _ kind: Int, _ choices: inout Choices, to writer: inout FrameWriter, toServer: Bool
    ) {
        let seen = toServer ? fromServer : fromClient
        switch kind {
        case 0...4: _ = writer.append(ack(&choices, seen))
        case 5: appendRepair(&choices, to: &writer)
        case 6: _ = writer.append(assignment(&choices))
        case 7: _ = writer.append(ping: choices.near(now.microseconds))
        case 8: _ = writer.append(pong: choices.near(seen.ping))
        case 9: _ = writer.append(pathChallenge: choices.word(), skipped: choices.near(seen.highest[1]))
        case 10: _ = writer.append(pathResponse: choices.near(seen.challenge))
        case 11:
            _ = writer.append(
                PathStatusFrame(
                    pathID: choices.path(), role: choices.byte() & 7, down: choices.flag(),
                    capMbit: UInt16(truncatingIfNeeded: choices.word()), isSpent: choices.flag()),
                name: String(repeating: "n", count: choices.below(70)))
        case 12:
            _ = writer.append(
                ModeFrame(mode: choices.byte() & 7, redundantPaths: choices.byte()),
                version: String(repeating: "1", count: choices.below(70)))
        case 13: _ = writer.appendAssignRequest()
        case 14:
            _ = writer.append(
                BenchFrame(
                    pathID: choices.flag() ? BenchFrame.everyPath : choices.path(),
                    milliseconds: UInt16(truncatingIfNeeded: choices.word())))
        case 15: _ = writer.append(BenchCountFrame(time: choices.word(), bytes: choices.word()))
        case 16: appendEnrolment(&choices, to: &writer)
        case 17: _ = writer.append(secretKept: UInt32(truncatingIfNeeded: choices.word()))
        case 18: _ = writer.append(padding: choices.below(256))
        default: if choices.byte() == 255 { _ = writer.append(close: choices.byte()) }
        }
    }

    private func ack(_ choices: inout Choices, _ seen: Sightings) -> AckFrame {
        let path = choices.path()
        let place = Int(path & 3)
        func map() -> UInt64 { choices.flag() ? .max : choices.word() &* 0x9E37_79B9_7F4A_7C15 }
        return AckFrame(
            pathID: path, highest: choices.near(seen.highest[place]), map: (map(), map(), map(), map()),
            packetsReceived: choices.near(seen.packets[place]),
            bytesReceived: choices.flag() ? seen.bytes[place] : choices.near(seen.bytes[place]),
            receiveTime: choices.near(now.microseconds), delay: UInt32(truncatingIfNeeded: choices.word()))
    }

    private func appendRepair(_ choices: inout Choices, to writer: inout FrameWriter) {
        let repair = RepairFrame(
            first: choices.near(sequence), count: UInt8(max(1, choices.byte())), seed: choices.byte(),
            symbolSize: 1 + Int(choices.word() % 1400))
        _ = writer.append(.repair(repair))
    }

    private func assignment(_ choices: inout Choices) -> AssignFrame {
        func prefix() -> Prefix {
            choices.flag()
                ? Prefix(
                    address: IPAddress(v4: UInt32(truncatingIfNeeded: choices.word())),
                    length: UInt8(choices.below(33)))
                : Prefix(
                    address: IPAddress(v6High: choices.word(), low: choices.word()),
                    length: UInt8(choices.below(129)))
        }
        func prefixes(_ most: Int) -> [Prefix] { (0..<choices.below(most + 1)).map { _ in prefix() } }
        return AssignFrame(
            mtu: UInt16(truncatingIfNeeded: choices.word()),
            addresses: prefixes(Wire.maximumAddresses).map {
                InterfaceAddress(address: $0.address, prefix: $0.length)
            },
            dns: prefixes(Wire.maximumDNS).map(\.address), routes: prefixes(Wire.maximumRoutes),
            networks: prefixes(Wire.maximumNetworks))
    }

    private func appendEnrolment(_ choices: inout Choices, to writer: inout FrameWriter) {
        let key = PrivateKey(bytes: choices.flag() ? clientKey : serverKey)
        switch choices.below(4) {
        case 0: _ = writer.append(EnrolFrame(publicKey: key.publicKey), host: "host")
        case 1:
            _ = writer.append(
                EnrolledFrame(
                    EnrolOutcome(rawValue: UInt8(choices.below(6))) ?? .stored, publicKey: key.publicKey))
        case 2:
            let invitation = PrivateKey(bytes: invitationKeys.privateKey).publicKey
            let proof = try? EnrolProof(
                own: key, other: PrivateKey(bytes: serverKey).publicKey, invitation: invitation)
            if let proof { _ = writer.append(proof) }
        default:
            _ = writer.append(
                SecretFrame(
                    ClientSecret(
                        generation: UInt32(truncatingIfNeeded: choices.word()),
                        key: PresharedKey(bytes: [UInt8](repeating: choices.byte(), count: 32)))))
        }
    }

    /// A data datagram with an inner packet of the peer's own address, or of another.
    private func tellPacket(_ choices: inout Choices, toServer: Bool) {
        let length = 20 + Int(choices.word() % 1400)
        var payload = [UInt8](repeating: 0, count: Wire.shimSize + length)
        let (own, other) = toServer ? (UInt8(2), UInt8(1)) : (1, 2)
        payload.withUnsafeMutableBytes { payload in
            Shim(
                distance: UInt16(truncatingIfNeeded: choices.word()), trafficClass: choices.byte() & 3,
                flags: choices.byte() & 3
            ).write(to: payload)
            let packet = payload.dropping(Wire.shimSize)
            packet[0] = choices.below(32) == 0 ? choices.byte() : 0x45
            packet[1] = choices.byte()
            packet.storeBigEndian(UInt16(length), at: 2)
            packet[9] = choices.flag() ? 6 : 17
            packet.storeBigEndian(0x0A4D_0000 | UInt32(own), at: 12)
            packet.storeBigEndian(0x0A4D_0000 | UInt32(other), at: 16)
        }
        sequence = choices.near(sequence &+ 1) & (1 << 63 - 1)
        payload.withUnsafeBytes {
            send(
                .data, $0, path: choices.path(), sequence: sequence, flags: choices.byte() & 1,
                toServer: toServer)
        }
        service()
    }
}
