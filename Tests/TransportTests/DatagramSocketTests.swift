import Glibc
import Packet
import Runtime
import TestSupport
import Testing

@testable import Transport

@Suite(.serialized, .enabled(if: OwnNetwork.isPermitted, "needs root for network namespaces"))
struct DatagramSocketTests {
    static let v4Loopback = IPAddress("127.0.0.1")!
    static let v6Loopback = IPAddress("::1")!

    /// Fills `outbox` with datagrams of 1, 2, … bytes, each filled with its own value.
    func fill(_ outbox: inout Outbox, _ count: Int, to remote: Endpoint, from local: IPAddress? = nil) {
        for i in 0..<count {
            let room = outbox.reserve(i + 1)!
            for j in 0...i { room[j] = UInt8(truncatingIfNeeded: i) }
            outbox.commit(i + 1, to: Link(socket: 0, local: local, remote: remote))
        }
    }

    @Test(arguments: [v4Loopback, v6Loopback])
    func batchesArriveWholeAndInOrder(address: IPAddress) throws {
        try OwnNetwork.run {
            let sender = try DatagramSocket(boundTo: nil, family: address.family)
            let receiver = try DatagramSocket(boundTo: nil, family: address.family)
            #expect(sender.localPort != 0 && sender.localPort != receiver.localPort)
            var outbox = Outbox()
            fill(&outbox, 200, to: Endpoint(address: address, port: receiver.localPort))
            let result = sender.send(outbox, entries: 0..<200)
            #expect(result.sent == 200 && result.failed == 0 && result.next == 200 && result.problem == nil)
            var batch = ReceiveBatch(capacity: 64)
            var got = 0
            while got < 200 && wait(for: receiver.fileDescriptor) {
                let count = receiver.receive(into: &batch)
                #expect(count > 0 && count <= 64 && count == batch.count)
                for i in 0..<batch.count {
                    let datagram = batch.datagram(i)
                    #expect(datagram.count == got + 1)
                    #expect(datagram.allSatisfy { $0 == UInt8(truncatingIfNeeded: got) })
                    let link = batch.link(i, socket: 5)
                    #expect(link.socket == 5 && link.local == address)
                    #expect(link.remote == Endpoint(address: address, port: sender.localPort))
                    got += 1
                }
            }
            #expect(got == 200)
            #expect(receiver.receive(into: &batch) == 0 && batch.count == 0)
        }
    }

    /// A reader that was busy for 20 ms still learns when each datagram arrived.
    @Test(arguments: [v4Loopback, v6Loopback])
    func arrivalsKeepTheirSpacingHoweverLateTheyAreRead(address: IPAddress) throws {
        try OwnNetwork.run {
            let sender = try DatagramSocket(boundTo: nil, family: address.family)
            let receiver = try DatagramSocket(boundTo: nil, family: address.family)
            var outbox = Outbox()
            fill(&outbox, 1, to: Endpoint(address: address, port: receiver.localPort))
            var batch = ReceiveBatch(capacity: 16)
            /// Sends a datagram; returns the time that it took, on the stamps' clock.
            func send() -> ClosedRange<UInt64> {
                let before = Clock.wall
                #expect(sender.send(outbox, entries: 0..<1).sent == 1)
                return before...Clock.wall
            }
            // The kernel begins to stamp some time after the first socket asks it to.
            for _ in 0..<200 {
                let window = send()
                usleep(5000)
                #expect(receiver.receive(into: &batch) == 1)
                if window.contains(batch.stamp(0)) { break }
            }
            var windows: [ClosedRange<UInt64>] = []
            for _ in 0..<10 {
                windows.append(send())
                usleep(2000)
            }
            #expect(receiver.receive(into: &batch) == 10 && batch.count == 10)
            for (i, window) in windows.enumerated() {
                #expect(window.contains(batch.stamp(i)), "datagram \(i)")
            }
            // On the clock of the reader, which has read nothing before.
            var arrivals = ArrivalClock()
            for _ in 0..<100 {
                let before = Instant(nanoseconds: Clock.boottime)
                arrivals.read(before: before, wall: Clock.wall, after: Instant(nanoseconds: Clock.boottime))
            }
            let now = Instant(nanoseconds: Clock.boottime)
            let times = (0..<10).map { arrivals.arrival(batch.stamp($0), now: now) }
            for i in 0..<9 {
                #expect(times[i + 1] - times[i] >= .milliseconds(2))
                #expect(
                    (times[i + 1] - times[i]).nanoseconds
                        == Int64(batch.stamp(i + 1)) - Int64(batch.stamp(i)))
            }
        }
    }

    @Test func onlyTheNamedEntriesAreSent() throws {
        try OwnNetwork.run {
            let socket = try DatagramSocket(boundTo: nil, family: .v4)
            var outbox = Outbox()
            fill(&outbox, 10, to: Endpoint(address: Self.v4Loopback, port: socket.localPort))
            let result = socket.send(outbox, entries: 3..<5)
            #expect(result.sent == 2 && result.next == 5)
            var batch = ReceiveBatch()
            #expect(try collect(2, from: socket, &batch).map(\.length) == [4, 5])
        }
    }

    @Test func theAnswerLeavesFromTheAddressThatWasAsked() throws {
        try OwnNetwork.run {
            OwnNetwork.ip("addr add fd00::2/128 dev lo nodad")
            for address in [IPAddress("127.0.0.2")!, IPAddress("fd00::2")!] {
                let server = try DatagramSocket(boundTo: nil, family: address.family)
                let client = try DatagramSocket(boundTo: nil, family: address.family)
                var outbox = Outbox()
                fill(&outbox, 1, to: Endpoint(address: address, port: server.localPort))
                var batch = ReceiveBatch()
                // The kernel makes a new IPv6 address local from a work queue: poll until it has.
                for _ in 0..<200 {
                    #expect(client.send(outbox, entries: 0..<1).sent == 1)
                    if wait(for: server.fileDescriptor, milliseconds: 10) { break }
                }
                let link = try collect(1, from: server, &batch)[0].link
                #expect(link.local == address)
                outbox.clear()
                _ = outbox.reserve(3)
                outbox.commit(3, to: link)
                #expect(server.send(outbox, entries: 0..<1).sent == 1)
                let answer = try collect(1, from: client, &batch)[0].link
                #expect(answer.remote == Endpoint(address: address, port: server.localPort))
            }
        }
    }

    @Test func linkLocalAddressesKeepTheirZone() throws {
        try OwnNetwork.run {
            OwnNetwork.ip("link add left type veth peer name right")
            OwnNetwork.ip("addr add fe80::a/64 dev left nodad")
            OwnNetwork.ip("addr add fe80::b/64 dev right nodad")
            OwnNetwork.ip("link set left up")
            OwnNetwork.ip("link set right up")
            let left = try DatagramSocket(boundTo: "left", family: .v6, address: IPAddress("fe80::a")!)
            let right = try DatagramSocket(boundTo: "right", family: .v6)
            let zone = if_nametoindex("left")
            var outbox = Outbox()
            fill(
                &outbox, 1,
                to: Endpoint(address: IPAddress("fe80::b")!, port: right.localPort, zone: zone),
                from: IPAddress("fe80::a")!)
            #expect(left.send(outbox, entries: 0..<1).problem == nil)
            var batch = ReceiveBatch()
            let link = try collect(1, from: right, &batch)[0].link
            #expect(link.remote.address == IPAddress("fe80::a")!)
            #expect(link.remote.zone == if_nametoindex("right"))
            outbox.clear()
            _ = outbox.reserve(1)
            outbox.commit(1, to: link)
            #expect(right.send(outbox, entries: 0..<1).sent == 1)
        }
    }

    @Test func oversizedDatagramsAreRefusedAndCounted() throws {
        try OwnNetwork.run {
            let socket = try DatagramSocket(boundTo: nil, family: .v4)
            let remote = Endpoint(address: Self.v4Loopback, port: socket.localPort)
            var outbox = Outbox()
            for length in [100, ReceiveBatch.maximumDatagram + 1, 0, ReceiveBatch.maximumDatagram] {
                _ = outbox.reserve(length)
                outbox.commit(length, to: Link(socket: 0, remote: remote))
            }
            #expect(socket.send(outbox, entries: 0..<4).sent == 4)
            var batch = ReceiveBatch()
            let got = try collect(4, from: socket, &batch)
            #expect(got.map(\.length) == [100, 0, ReceiveBatch.maximumDatagram])
            #expect(batch.refused == 1)
        }
    }

    /// Runs of equal datagrams with differing marks: each arrives with its own, segmented and joined or not.
    @Test(arguments: [v4Loopback, v6Loopback], [false, true])
    func marksStayWithTheirDatagrams(address: IPAddress, offloads: Bool) throws {
        try OwnNetwork.run {
            let sender = try DatagramSocket(
                boundTo: nil, family: address.family, wantsOffloads: offloads)
            let receiver = try DatagramSocket(
                boundTo: nil, family: address.family, wantsOffloads: offloads)
            let marks: [UInt8] = [0, 0, 0, 2, 2, 2, 2, 3, 1, 1, 0, 2, 3, 3, 3, 3]
            var outbox = Outbox()
            for (i, mark) in marks.enumerated() {
                let room = outbox.reserve(1000)!
                room[0] = UInt8(i)
                let remote = Endpoint(address: address, port: receiver.localPort)
                outbox.commit(
                    1000, to: Link(socket: 0, local: i % 3 == 0 ? address : nil, remote: remote), ecn: mark)
            }
            #expect(sender.send(outbox, entries: 0..<marks.count).sent == marks.count)
            var batch = ReceiveBatch(capacity: 64)
            var got: [UInt8] = []
            while got.count < marks.count && wait(for: receiver.fileDescriptor) {
                _ = receiver.receive(into: &batch)
                for i in 0..<batch.count {
                    #expect(batch.datagram(i)[0] == UInt8(got.count))
                    got.append(batch.ecn(i))
                }
            }
            #expect(got == marks)
        }
    }

    // MARK: Offloads

    /// Without checksums the kernel does not segment: it returns EINVAL, as for an interface without support.
    @Test func whatTheKernelRefusesToCutGoesOneByOneFromThenOn() throws {
        try OwnNetwork.run {
            let receiver = try DatagramSocket(boundTo: nil, family: .v4, wantsOffloads: false)
            let sender = try DatagramSocket(boundTo: nil, family: .v4)
            try #require(sender.segmentation == .on, "this kernel does not cut")
            var outbox = Outbox()
            for _ in 0..<20 {
                _ = outbox.reserve(100)
                outbox.commit(
                    100,
                    to: Link(
                        socket: 0, remote: Endpoint(address: Self.v4Loopback, port: receiver.localPort)))
            }
            #expect(sender.send(outbox, entries: 0..<20).sent == 20 && sender.segmentation == .on)
            var yes: Int32 = 1
            setsockopt(sender.fileDescriptor, SOL_SOCKET, SO_NO_CHECK, &yes, 4)
            for _ in 0..<2 {
                let result = sender.send(outbox, entries: 0..<20)
                #expect(result.sent == 20 && result.failed == 0 && result.problem == nil)
                #expect(sender.segmentation == .refused)
            }
            var batch = ReceiveBatch()
            #expect(try collect(60, from: receiver, &batch).map(\.length) == [Int](repeating: 100, count: 60))
        }
    }

    @Test(arguments: [v4Loopback, v6Loopback]) func offloadsThatNobodyWantsAreOff(_ address: IPAddress) throws
    {
        try OwnNetwork.run {
            let plain = try DatagramSocket(boundTo: nil, family: address.family, wantsOffloads: false)
            #expect(plain.segmentation == .off && plain.joining == .off)
            let whole = try DatagramSocket(boundTo: nil, family: address.family)
            #expect(whole.segmentation == .on && whole.joining == .on, "since Linux 5.0")
        }
    }

    // MARK: Errors become events

    @Test func anInterfaceWithoutRouteIsUnreachable() throws {
        try OwnNetwork.run {
            OwnNetwork.ip("link add uplink type veth peer name far")
            for (family, remote) in [
                (IPAddress.Family.v4, "192.0.2.1:9"), (.v6, "[2001:db8::1]:9"),
            ] {
                let socket = try DatagramSocket(boundTo: "uplink", family: family)
                var outbox = Outbox()
                fill(&outbox, 3, to: Endpoint(remote)!)
                let result = socket.send(outbox, entries: 0..<3)
                #expect(result.problem == .unreachable && result.error == ENETUNREACH)
                #expect(result.sent == 0 && result.failed == 3 && result.next == 3 && result.failedEntry == 0)
            }
        }
    }

    @Test func aGoneSourceAddressIsUnreachable() throws {
        try OwnNetwork.run {
            for (remote, local) in [("127.0.0.1:9", "192.0.2.7"), ("[::1]:9", "2001:db8::7")] {
                let local = IPAddress(local)!
                let socket = try DatagramSocket(boundTo: nil, family: local.family)
                var outbox = Outbox()
                fill(&outbox, 1, to: Endpoint(remote)!, from: local)
                #expect(socket.send(outbox, entries: 0..<1).problem == .unreachable)
            }
        }
    }

    @Test(arguments: [v4Loopback, v6Loopback])
    func whatIsLargerThanTheMTUIsTooBigAndTheRestGoesOn(address: IPAddress) throws {
        try OwnNetwork.run {
            OwnNetwork.ip("link set lo mtu 1400")
            let socket = try DatagramSocket(boundTo: nil, family: address.family)
            let remote = Endpoint(address: address, port: socket.localPort)
            let overhead = (address.family == .v4 ? 20 : 40) + 8
            var outbox = Outbox()
            for length in [10, 1400 - overhead + 1, 1400 - overhead, 1500, 20] {
                _ = outbox.reserve(length)
                outbox.commit(length, to: Link(socket: 0, remote: remote))
            }
            let result = socket.send(outbox, entries: 0..<5)
            #expect(result.problem == .tooBig && result.failedEntry == 1)
            #expect(result.sent == 3 && result.failed == 2 && result.next == 5)
            var batch = ReceiveBatch()
            #expect(try collect(3, from: socket, &batch).map(\.length) == [10, 1400 - overhead, 20])
        }
    }

    @Test(arguments: ["192.0.2.2:9", "[2001:db8::2]:9"])
    func aDeletedInterfaceIsGone(remote: String) throws {
        try OwnNetwork.run {
            OwnNetwork.ip("link add uplink type veth peer name far")
            OwnNetwork.ip("addr add 192.0.2.1/24 dev uplink")
            OwnNetwork.ip("addr add 2001:db8::1/64 dev uplink nodad")
            OwnNetwork.ip("link set uplink up")
            OwnNetwork.ip("link set far up")
            let remote = Endpoint(remote)!
            let socket = try DatagramSocket(boundTo: "uplink", family: remote.address.family)
            var outbox = Outbox()
            fill(&outbox, 1, to: remote)
            #expect(socket.send(outbox, entries: 0..<1).problem == nil)
            OwnNetwork.ip("link delete uplink")
            #expect(socket.send(outbox, entries: 0..<1).problem == .interfaceGone)
        }
    }

    @Test func aPacketFilterIsNotPermitted() throws {
        try OwnNetwork.run {
            OwnNetwork.run("nft", "add table inet t")
            OwnNetwork.run(
                "nft", "add chain inet t out { type filter hook output priority 0 ; policy drop ; }")
            let socket = try DatagramSocket(boundTo: nil, family: .v4)
            var outbox = Outbox()
            fill(&outbox, 1, to: Endpoint(address: Self.v4Loopback, port: 9))
            let result = socket.send(outbox, entries: 0..<1)
            #expect(result.problem == .notPermitted && result.failed == 1)
        }
    }

    @Test func aFullSocketStopsAndGoesOnWhereItStopped() throws {
        try OwnNetwork.run {
            // The other end of the veth is down and nothing resolves: packets wait for the neighbor and fill the
            // socket's buffer.
            OwnNetwork.ip("link add uplink type veth peer name far")
            OwnNetwork.ip("addr add 192.0.2.1/24 dev uplink")
            OwnNetwork.ip("link set uplink up")
            OwnNetwork.ip("link set far up")
            let socket = try DatagramSocket(boundTo: "uplink", family: .v4)
            var small: Int32 = 4608
            setsockopt(socket.fileDescriptor, SOL_SOCKET, SO_SNDBUF, &small, 4)
            var outbox = Outbox()
            for _ in 0..<100 {
                _ = outbox.reserve(1000)
                outbox.commit(1000, to: Link(socket: 0, remote: Endpoint("192.0.2.2:9")!))
            }
            let result = socket.send(outbox, entries: 0..<100)
            #expect(result.problem == .wouldBlock && result.failed == 0)
            #expect(result.sent > 0 && result.sent < 100 && result.next == result.sent)
            #expect(result.failedEntry == result.next)
        }
    }

    // MARK: Setting up

    @Test func buffersAreLarge() throws {
        try OwnNetwork.run {
            let socket = try DatagramSocket(boundTo: nil, family: .v4)
            let other = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(other) }
            for (option, forced) in [(SO_RCVBUF, SO_RCVBUFFORCE), (SO_SNDBUF, SO_SNDBUFFORCE)] {
                // Root of a user namespace may not force it: it gets the sysctl's limit.
                var wanted = Int32(DatagramSocket.bufferSize)
                if setsockopt(other, SOL_SOCKET, forced, &wanted, 4) != 0 {
                    setsockopt(other, SOL_SOCKET, option, &wanted, 4)
                }
                #expect(size(option, of: socket.fileDescriptor) == size(option, of: other))
                #expect(size(option, of: other) > 212_992, "the default")
            }
        }
    }

    private func size(_ option: Int32, of descriptor: Int32) -> Int32 {
        var size: Int32 = 0
        var length = socklen_t(4)
        return getsockopt(descriptor, SOL_SOCKET, option, &size, &length) == 0 ? size : 0
    }

    @Test func anIPv6SocketLeavesIPv4Alone() throws {
        try OwnNetwork.run {
            let six = try DatagramSocket(boundTo: nil, family: .v6)
            let four = try DatagramSocket(boundTo: nil, family: .v4, port: six.localPort)
            #expect(four.localPort == six.localPort)
        }
    }

    @Test func whatCannotBeBoundIsAnError() throws {
        try OwnNetwork.run {
            #expect(throws: TransportError.noInterface("nowhere")) {
                _ = try DatagramSocket(boundTo: "nowhere", family: .v4)
            }
            let elsewhere = Endpoint("192.0.2.9:5000")!
            #expect(throws: TransportError.addressNotHere(elsewhere)) {
                _ = try DatagramSocket(boundTo: nil, family: .v4, address: elsewhere.address, port: 5000)
            }
            let first = try DatagramSocket(boundTo: nil, family: .v4, address: Self.v4Loopback)
            let taken = Endpoint(address: Self.v4Loopback, port: first.localPort)
            #expect(throws: TransportError.addressInUse(taken)) {
                _ = try DatagramSocket(boundTo: nil, family: .v4, address: Self.v4Loopback, port: taken.port)
            }
            #expect(
                TransportError.addressInUse(taken).description
                    == "UDP \(taken) is in use; stop the program that uses it (ss -lunp) or set another port")
        }
    }

    /// Data and control datagrams go where their session ID says, all others to the first socket; so do truncated
    /// ones, and those with a number beyond the last socket go to any.
    @Test(arguments: [v4Loopback, v6Loopback])
    func sharedPortsAreSteered(address: IPAddress) throws {
        try OwnNetwork.run {
            let first = try DatagramSocket(
                boundTo: nil, family: address.family, address: address, sharesPort: true)
            try first.steer(
                Steering(
                    kindOffset: 3, kindMask: 15, kinds: (4, 5), wordOffset: 4, shift: 16, mask: 7))
            let port = first.localPort
            let second = try DatagramSocket(
                boundTo: nil, family: address.family, address: address, port: port, sharesPort: true)
            let third = try DatagramSocket(
                boundTo: nil, family: address.family, address: address, port: port, sharesPort: true)
            #expect(throws: TransportError.addressInUse(Endpoint(address: address, port: port))) {
                _ = try DatagramSocket(boundTo: nil, family: address.family, address: address, port: port)
            }
            let sender = try DatagramSocket(boundTo: nil, family: address.family)
            var batch = ReceiveBatch()
            for (bytes, expected): ([UInt8], Int?) in [
                ([66, 79, 1, 4, 0xAB, 0xF8, 0, 9, 0], 0), ([66, 79, 1, 4, 0xAB, 0xF9, 0, 9, 0], 1),
                ([66, 79, 1, 0x15, 0xAB, 0xFA, 0, 9, 0], 2), ([66, 79, 1, 4, 0, 2, 0xFF, 0xFF], 2),
                ([66, 79, 1, 1, 0xAB, 0xF9, 0, 9, 0], 0), ([66, 79, 1, 3, 0xAB, 0xFA, 0, 9, 0], 0),
                ([66, 79, 1, 4, 0xAB, 0xFA, 0], 0), ([66], 0), ([66, 79, 1, 5, 0, 7, 0, 9, 0], nil),
            ] {
                var outbox = Outbox()
                outbox.reserve(bytes.count)!.copyBytes(from: bytes)
                outbox.commit(
                    bytes.count, to: Link(socket: 0, remote: Endpoint(address: address, port: port)))
                #expect(sender.send(outbox, entries: 0..<1).sent == 1)
                var watched = [first.fileDescriptor, second.fileDescriptor, third.fileDescriptor]
                    .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                #expect(poll(&watched, 3, 2000) == 1)
                let at = watched.firstIndex { $0.revents != 0 }
                if let expected { #expect(at == expected, "\(bytes)") }
                switch at {
                case 0: #expect(first.receive(into: &batch) == 1)
                case 1: #expect(second.receive(into: &batch) == 1)
                default: #expect(third.receive(into: &batch) == 1)
                }
                #expect([UInt8](batch.datagram(0)) == bytes)
            }
        }
    }

    @Test func aPortThatIsNotSharedIsNobodyElses() throws {
        try OwnNetwork.run {
            let alone = try DatagramSocket(boundTo: nil, family: .v4, address: Self.v4Loopback)
            let taken = Endpoint(address: Self.v4Loopback, port: alone.localPort)
            #expect(throws: TransportError.addressInUse(taken)) {
                _ = try DatagramSocket(
                    boundTo: nil, family: .v4, address: Self.v4Loopback, port: taken.port, sharesPort: true)
            }
            let rule = Steering(
                kindOffset: 3, kindMask: 15, kinds: (4, 5), wordOffset: 4, shift: 16, mask: 7)
            #expect(throws: TransportError.self) { try alone.steer(rule) }
        }
    }

    @Test func everyErrnoHasItsMeaning() {
        let meanings: [(Int32, SendProblem)] = [
            (EAGAIN, .wouldBlock), (ENOBUFS, .noBuffers), (EMSGSIZE, .tooBig), (ENETUNREACH, .unreachable),
            (EHOSTUNREACH, .unreachable), (ENETDOWN, .unreachable), (EADDRNOTAVAIL, .unreachable),
            (EINVAL, .unreachable), (ENODEV, .interfaceGone), (ENXIO, .interfaceGone), (EPERM, .notPermitted),
            (EIO, .other),
        ]
        for (code, problem) in meanings { #expect(SendProblem(errno: code) == problem) }
    }

    /// The kernel delivers a loopback packet from a softirq, which may run a little later.
    private func wait(for descriptor: Int32, milliseconds: Int32 = 2000) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) == 1
    }

    /// The datagrams received until there were `count` of them.
    private func collect(
        _ count: Int, from socket: borrowing DatagramSocket, _ batch: inout ReceiveBatch
    ) throws -> [(length: Int, link: Link)] {
        var got: [(length: Int, link: Link)] = []
        var given = 0
        while given < count {
            try #require(wait(for: socket.fileDescriptor), "only \(given) of \(count) came")
            let now = socket.receive(into: &batch)
            try #require(now > 0)
            given += now
            for i in 0..<batch.count { got.append((batch.datagram(i).count, batch.link(i, socket: 0))) }
        }
        #expect(given == count)
        return got
    }
}
