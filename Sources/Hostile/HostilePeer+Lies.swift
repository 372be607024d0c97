import Packet
import Proto

// One datagram, or a few that belong together, of each lie.
extension HostilePeer {
    /// A path that is there.
    private var anyPath: Int { Int(random.next() % UInt64(max(paths.count, 1))) }

    /// Sends the next datagrams of a lie, if it has any; their cost shows in the counters.
    func strike(_ lie: Lie, now: Instant) {
        switch lie {
        case .optimisticAcks, .scaledCounts, .driftingTimes, .unsentAcks, .silentAddress, .rekeyStorm: break
        case .ackFlood: flood { ackOfThePast(now: now) }
        case .repairEquations: sendEquations()
        case .repairFlood:
            flood(170) {
                .repair(
                    RepairFrame(
                        first: sequence &- UInt64.random(in: 0...300, using: &random), count: 240,
                        seed: UInt8.random(in: 0...255, using: &random), symbolSize: 5))
            }
        case .statusFlaps: flapPaths()
        case .modeFlaps:
            flood(200) {
                random.next() & 1 == 0
                    ? .assignRequest
                    : .mode(
                        ModeFrame(
                            mode: .random(in: 0...5, using: &random),
                            redundantPaths: .random(in: 0...20, using: &random)))
            }
        case .challengeFlood: flood(200) { .pathChallenge(random.next()) }
        case .responseFlood: flood(200) { .pathResponse(random.next()) }
        case .lyingPings: flood(Int.random(in: 1...200, using: &random)) { .ping(lyingClock(now)) }
        case .lyingPongs: flood(Int.random(in: 1...200, using: &random)) { .pong(pastPing(now)) }
        case .bench:
            flood(Int.random(in: 1...250, using: &random)) {
                .bench(
                    BenchFrame(
                        pathID: random.next() & 1 == 0
                            ? BenchFrame.everyPath : .random(in: 0...20, using: &random),
                        milliseconds: .random(in: 0...(.max), using: &random)))
            }
        case .mtuProbes:
            let size = Int.random(in: 0...(Wire.maximumDatagram - Wire.minimumSealed - 3), using: &random)
            send(
                .control, [0, UInt8(size >> 8), UInt8(size & 255)] + [UInt8](repeating: 0, count: size),
                flags: 1,
                on: anyPath)
        case .shimDistances:
            sendPacket(
                size: .random(in: 20...1300, using: &random),
                distance: .random(in: 0...(.max), using: &random),
                flags: UInt8(random.next() & 3), on: anyPath)
        case .sequenceLeaps: leap()
        case .hoarding:
            // The sequence in between is never sent.
            sequence &+= 1
            sendPacket(size: 20, distance: 1, on: anyPath)
        case .testPackets:
            sequence &+= random.next() & 3
            sendPacket(
                size: .random(in: 20...1400, using: &random), distance: UInt16(random.next() & 7),
                flags: Shim.test,
                on: anyPath)
        case .foreignPackets: sendForeign()
        case .roaming:
            source = (source + 1) % Self.sources
            send(.control, Self.payload([.ping(now.microseconds &+ clock)]), flags: 1, on: anyPath)
        case .pathChurn: openPath(now: now)
        case .enrolment:
            if random.next() & 3 == 0 {
                let key = PublicKey(bytes: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                send(.control, Self.payload([.enrol(EnrolFrame(publicKey: key))]), on: anyPath)
            } else {
                strike(anyLie, now: now)
            }
        case .closeStorm:
            send(.control, Self.payload([.close(UInt8(truncatingIfNeeded: random.next()))]), on: 0)
            leave(until: now + .milliseconds(Int64(max(1, 8 / max(1, trait & 7)))))
        case .brokenFrames: sendBroken()
        case .copies: sendCopy()
        case .everything: strike(anyLie, now: now)
        }
    }

    /// A lie that sends something, at random. Closing is rare, or there would be nothing else.
    private var anyLie: Lie {
        let lie = Lie.allCases.randomElement(using: &random)!
        if lie.isInAcks || [.everything, .enrolment, .rekeyStorm].contains(lie) { return .brokenFrames }
        return lie == .closeStorm && random.next() & 63 != 0 ? .ackFlood : lie
    }

    /// A control datagram of up to `count` frames of one kind.
    private func flood(_ count: Int = 30, _ frame: () -> Frame) {
        var frames: [Frame] = []
        for _ in 0..<count { frames.append(frame()) }
        send(.control, Self.payload(frames), flags: UInt8(random.next() & 1), on: anyPath)
    }

    // MARK: - Control

    private func ackOfThePast(now: Instant) -> Frame {
        let path = paths[anyPath]
        let top = path.highest ?? 0
        return .ack(
            AckFrame(
                pathID: path.id, highest: top - min(top, random.next() % 300),
                map: (random.next(), random.next(), random.next(), random.next()),
                packetsReceived: random.next() % (path.packets + 1),
                bytesReceived: random.next() % (path.bytes + 1),
                receiveTime: (now.microseconds &+ clock) % (1 << 50),
                delay: UInt32(truncatingIfNeeded: random.next())))
    }

    /// Three sets of sixteen packets that never arrive, each mixed with some that do. No set ever has sixteen
    /// equations at once among the 32 waiting, but each equation looks as if it might be the last missing one.
    private func sendEquations() {
        var gaps: [UInt64] = []
        for _ in 0..<3 {
            gaps.append(sequence)
            sequence &+= 16
            for _ in 0..<10 { sendPacket(size: 20, distance: 0, on: 0) }
        }
        for _ in 0..<4 {
            var frames: [Frame] = []
            for turn in 0..<150 {
                let more = UInt64(turn / 3 % 10)
                frames.append(
                    .repair(
                        RepairFrame(
                            first: gaps[turn % 3], count: UInt8(16 + more),
                            seed: .random(in: 0...255, using: &random), symbolSize: 5)))
            }
            send(.control, Self.payload(frames), on: 0)
            for _ in 0..<4 { sendPacket(size: 20, distance: 0, on: 0) }
        }
    }

    private func flapPaths() {
        var frames: [Frame] = []
        for turn in 0..<220 {
            frames.append(
                .pathStatus(
                    PathStatusFrame(
                        pathID: trait & 1 == 0 ? 1 : .random(in: 0...17, using: &random),
                        role: trait & 2 == 0 ? 0 : UInt8.random(in: 0...5, using: &random),
                        down: turn % 2 == 0, capMbit: trait & 4 == 0 ? 0 : .random(in: 0...3, using: &random),
                        isSpent: random.next() & 1 == 0)))
        }
        send(.control, Self.payload(frames), on: paths.count - 1)
    }

    private func lyingClock(_ now: Instant) -> UInt64 {
        let clock = now.microseconds &+ clock
        return switch random.next() % 6 {
        case 0: clock &- UInt64.random(in: 0...500_000, using: &random)
        case 1: clock &+ UInt64.random(in: 0...500_000, using: &random)
        case 2: clock &+ 1 << 49
        case 3: random.next()
        case 4: UInt64.max - random.next() % 1000
        default: clock
        }
    }

    private func pastPing(_ now: Instant) -> UInt64 {
        guard let (token, at) = serverClock, random.next() & 7 != 0 else { return random.next() }
        let clock = token &+ UInt64(max((now - at).microseconds, 0))
        return clock &- UInt64.random(in: 0...9_900_000, using: &random)
    }

    private func openPath(now: Instant) {
        let highest = paths.map(\.id).max() ?? 0
        guard highest < 60_000 else { return leave(until: now) }
        if paths.count >= 20 { paths.remove(at: 2) }
        let step = UInt16.random(in: 1...(random.next() & 7 == 0 ? 100 : 2), using: &random)
        paths.append(HostilePath(id: highest + step, link: Int(random.next() % UInt64(links))))
        send(.control, Self.payload([.ping(now.microseconds)]), flags: 1, on: paths.count - 1)
    }

    private func sendBroken() {
        var payload: [UInt8] = []
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            let body = (0..<Int.random(in: 0...90, using: &random)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            let length =
                random.next() & 7 == 0 ? UInt16(truncatingIfNeeded: random.next()) : UInt16(body.count)
            // Not a CLOSE, which would end the session.
            var type = UInt8(random.next() % 20)
            if type == FrameType.close.rawValue { type = 255 }
            payload += [type, UInt8(length >> 8), UInt8(length & 255)] + body
        }
        let isData = random.next() & 3 == 0
        if isData { payload = Array(payload.prefix(Int(random.next() % 40))) }
        send(
            isData ? .data : .control, payload, sequence: random.next() & 1 == 0 ? sequence : random.next(),
            flags: UInt8(random.next() & 15), on: anyPath)
    }

    private func sendCopy() {
        guard var copy = recent.randomElement(using: &random) else { return }
        switch random.next() % 3 {
        case 0: copy.bytes = Array(copy.bytes.prefix(Int(random.next() % UInt64(copy.bytes.count + 1))))
        case 1: copy.bytes[Int(random.next() % UInt64(copy.bytes.count))] ^= 1 << UInt8(random.next() & 7)
        default: break
        }
        if copy.bytes.isEmpty { copy.bytes = [0x42] }
        put(copy)
        if recent.last.map({ $0.bytes.count < 40 }) ?? false { recent.removeLast() }
    }

    // MARK: - Data

    private func leap() {
        let leaps: [UInt64] = [1, 2, 255, 4096, 32_768, 65_535, 65_536, 1 << 20, 1 << 23, 1 << 24]
        let distance = leaps.randomElement(using: &random)!
        if random.next() & 3 == 0 {
            sequence = sequence > distance ? sequence - distance : 0
        } else {
            sequence &+= distance
        }
        sequence &= 1 << 60 - 1
        sendPacket(
            size: .random(in: 20...200, using: &random),
            distance: [0, 1, .max].randomElement(using: &random)!,
            on: anyPath)
    }

    private func sendForeign() {
        if random.next() & 1 == 0 {
            sendPacket(
                size: .random(in: 20...600, using: &random), distance: 0,
                from: IPAddress(v4: UInt32(truncatingIfNeeded: random.next())), on: anyPath)
            return
        }
        var payload = (0..<Int.random(in: 4...120, using: &random)).map { _ in
            UInt8(truncatingIfNeeded: random.next())
        }
        if payload.count > 24 {
            payload[4] = [0x45, 0x46, 0x4F, 0x60, 0x40].randomElement(using: &random)!
            payload.withUnsafeMutableBytes { identity.address.write(to: $0.dropping(16)) }
        }
        send(.data, payload, sequence: sequence, on: anyPath)
        sequence &+= 1
    }
}
