import Glibc
import Packet
import TestSupport
import Testing

@testable import Tun

@Suite(.serialized, .enabled(if: OwnNetwork.isPermitted, "needs root for network namespaces"))
struct TunDeviceTests {
    @Test func packetsGoThroughTheKernelAndBack() throws {
        try OwnNetwork.run {
            let tun = try TunDevice(name: "bond0", offloads: [])
            #expect(tun.name == "bond0")
            #expect(tun.index == if_nametoindex("bond0"))
            OwnNetwork.ip("addr add 10.77.0.2/24 dev bond0")
            OwnNetwork.ip("link set bond0 up")
            var buffer = [UInt8](repeating: 0, count: 2048)

            // Out: what a socket sends to the tunnel's network comes out of read.
            let sender = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(sender) }
            var peer = sockaddr_in()
            peer.sin_family = sa_family_t(AF_INET)
            peer.sin_port = UInt16(7).bigEndian
            peer.sin_addr.s_addr = UInt32(0x0A4D_0009).bigEndian
            let sent = withUnsafeBytes(of: peer) {
                sendto(
                    sender, "hello", 5, 0, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t($0.count))
            }
            #expect(sent == 5)
            var packet: [UInt8] = []
            // The kernel says hello to IPv6 routers too: look for the IPv4 packet.
            while true {
                let count = buffer.withUnsafeMutableBytes { tun.readBytes(into: $0) }
                guard count > 0 else { break }
                if buffer[0] >> 4 == 4 { packet = Array(buffer[..<count]) }
            }
            #expect(packet.count == 20 + 8 + 5)
            #expect(packet.suffix(5) == Array("hello".utf8)[...])
            #expect(packet.prefix(20).suffix(4) == [10, 77, 0, 9])

            // In: the same packet turned round reaches the socket (addresses and ports swapped keep the checksums).
            var answer = packet
            answer.replaceSubrange(12..<16, with: packet[16..<20])
            answer.replaceSubrange(16..<20, with: packet[12..<16])
            answer.replaceSubrange(20..<22, with: packet[22..<24])
            answer.replaceSubrange(22..<24, with: packet[20..<22])
            #expect(answer.withUnsafeBytes { tun.write($0) } == answer.count)
            let count = recv(sender, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            #expect(count == 5)
        }
    }

    @Test func readingNothingIsZero() throws {
        try OwnNetwork.run {
            let tun = try TunDevice(name: "quiet", offloads: [])
            var buffer = [UInt8](repeating: 0, count: 2048)
            #expect(buffer.withUnsafeMutableBytes { tun.readBytes(into: $0) } == 0)
        }
    }

    @Test func writeTellsWhyAPacketIsLost() throws {
        try OwnNetwork.run {
            let tun = try TunDevice(name: "bond0", offloads: [])
            let packet = [UInt8](repeating: 0x45, count: 40)
            #expect(packet.withUnsafeBytes { tun.write($0) } == -Int(EIO), "the interface is down")
            OwnNetwork.ip("link set bond0 up")
            #expect([UInt8](repeating: 0, count: 40).withUnsafeBytes { tun.write($0) } == -Int(EINVAL))
        }
    }

    @Test func theInterfaceGoesWithTheValue() throws {
        try OwnNetwork.run {
            do {
                let tun = try TunDevice(name: "brief", offloads: [])
                #expect(if_nametoindex("brief") == tun.index)
            }
            // Another test's child may hold the descriptor between its fork and its exec.
            for _ in 0..<1000 where if_nametoindex("brief") != 0 { usleep(1000) }
            #expect(if_nametoindex("brief") == 0)
        }
    }

    @Test func aTakenNameIsAnError() throws {
        OwnNetwork.run {
            OwnNetwork.ip("link add taken type veth peer name other")
            #expect(throws: TunError.nameTaken("taken")) {
                _ = try TunDevice(name: "taken", offloads: [])
            }
            do {
                let tun = try TunDevice(name: "mine", offloads: [])
                #expect(throws: TunError.nameTaken("mine")) {
                    _ = try TunDevice(name: "mine", offloads: [])
                }
                #expect(tun.name == "mine")
            } catch {
                Issue.record("\(error)")
            }
            // Made by somebody to be there: not taken over either.
            OwnNetwork.ip("tuntap add persist mode tun")
            #expect(throws: TunError.nameTaken("persist")) {
                _ = try TunDevice(name: "persist", offloads: [])
            }
        }
    }

    /// The kernel gives a flow's packets to the queue that last wrote one of the flow.
    @Test func aFlowStaysAtItsQueue() throws {
        try OwnNetwork.run {
            let first = try TunDevice(name: "bond0", mayHaveQueues: true)
            OwnNetwork.ip("addr add 10.77.0.1/24 dev bond0")
            OwnNetwork.ip("link set bond0 up")
            let second = try first.makeQueue()
            #expect(second.index == first.index && second.offloads == first.offloads)
            #expect(second.fileDescriptor != first.fileDescriptor)
            let buffer = UnsafeMutableRawBufferPointer.allocate(
                byteCount: TunDevice.maximumRead, alignment: 8)
            defer { buffer.deallocate() }
            for number in 0..<40 {
                // An echo request to the kernel, whose answer is the same flow's. The first answer leaves before the
                // kernel has noted which queue the request came from.
                let isFirst = number % 4 < 2
                var counts = (0, 0)
                for _ in 0..<2 {
                    var echo = PlainPacket.echo(from: 0x0A4D_0002 + UInt32(number / 4), to: 0x0A4D_0001)
                    var joiner = SegmentJoiner(first.offloads)
                    echo.withUnsafeMutableBytes { bytes in
                        _ = joiner.append(bytes, isPartial: false)
                        if isFirst { _ = joiner.flush(to: first) } else { _ = joiner.flush(to: second) }
                    }
                    counts = (answers(first, buffer), answers(second, buffer))
                }
                #expect(counts == (isFirst ? (1, 0) : (0, 1)), "packet \(number)")
            }
        }
    }

    /// How many IPv4 packets a queue has.
    private func answers(_ queue: borrowing TunDevice, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        while true {
            let length = queue.readBytes(into: buffer)
            if length <= OffloadHeader.size { return count }
            if buffer[OffloadHeader.size] >> 4 == 4 { count += 1 }
        }
    }

    @Test func aDeviceOfOneQueueHasNoOther() throws {
        try OwnNetwork.run {
            let tun = try TunDevice(name: "bond0")
            #expect(throws: TunError.failed("bond0", errno: EINVAL)) { _ = try tun.makeQueue() }
            let other = try TunDevice(name: "bond1", mayHaveQueues: true)
            #expect(throws: TunError.nameTaken("bond1")) {
                _ = try TunDevice(name: "bond1", mayHaveQueues: true)
            }
            #expect(other.name == "bond1")
        }
    }

    @Test(arguments: ["", "a/b", "tun%d", "sixteen-letters-", "two words", "..", "naïve", "a:1"])
    func badNamesAreErrors(name: String) {
        #expect(throws: TunError.badName(name)) { _ = try TunDevice(name: name) }
    }

    @Test func errorsAreSentences() {
        // A bonded network card is called bond0, too: nobody is told to delete it.
        let taken = TunError(errno: EBUSY, name: "bond0").description
        #expect(taken.contains("bond0 exists already and was not changed") && !taken.contains("delete"))
        #expect(TunError(errno: EPERM, name: "b").description.contains("run as root or with CAP_NET_ADMIN"))
        #expect(TunError(errno: ENOENT, name: "b").description.contains("modprobe tun"))
        #expect(TunError(errno: ENOMEM, name: "b") == .failed("b", errno: ENOMEM))
    }
}
