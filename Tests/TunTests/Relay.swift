import Glibc
import Lab
import Packet

@testable import Tun

/// Two TUN devices in their own namespaces, and a tunnel's work between them: segment, carry, join.
final class Relay {
    /// One end. The devices may have different offloads.
    final class End {
        let device: TunDevice
        var joiner: SegmentJoiner
        /// Maximum number of packets in one read.
        var mostPackets = 0
        /// Packets refused by the kernel.
        var refused = 0

        init(_ offloads: TunOffloads) throws(TunError) {
            device = try TunDevice(name: "bond0", offloads: offloads)
            joiner = SegmentJoiner(device.offloads)
        }
    }

    /// The namespaces of both ends, with 10.77.0.1 and fd77::1, 10.77.0.2 and fd77::2.
    let namespaces: [Namespace]
    let ends: [End]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TunDevice.maximumRead, alignment: 64)
    private let rooms = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048 * 128, alignment: 64)

    init(_ first: TunOffloads, _ second: TunOffloads) throws {
        namespaces = [try Namespace(name: "first"), try Namespace(name: "second")]
        ends = try zip(namespaces, [first, second]).map { namespace, offloads in
            try namespace.inside { () throws(TunError) in try End(offloads) }
        }
        for (index, namespace) in namespaces.enumerated() {
            try namespace.ip(
                """
                link set bond0 mtu 1400 up
                addr add 10.77.0.\(index + 1)/24 dev bond0
                addr add fd77::\(index + 1)/64 dev bond0 nodad
                """)
        }
    }

    deinit {
        buffer.deallocate()
        rooms.deallocate()
    }

    /// Carries packets both ways for this long.
    func run(seconds: Double) {
        let end = Clock.monotonic + seconds
        while Clock.monotonic < end {
            var wanted = ends.map { pollfd(fd: $0.device.fileDescriptor, events: Int16(POLLIN), revents: 0) }
            poll(&wanted, 2, 10)
            carry(from: ends[0], to: ends[1])
            carry(from: ends[1], to: ends[0])
        }
    }

    private func carry(from: End, to: End) {
        while let packet = from.device.read(into: buffer) {
            from.mostPackets = max(from.mostPackets, packet.count)
            for index in 0..<packet.count {
                let start = 2048 * (index % 128)
                let room = UnsafeMutableRawBufferPointer(rebasing: rooms[start..<start + 2048])
                guard let length = packet.write(index, to: room) else { continue }
                let written = UnsafeMutableRawBufferPointer(rebasing: room[..<length])
                // A packet must have been written before its memory is reused.
                if index % 128 == 0 { flush(to) }
                if !to.joiner.append(written, isPartial: packet.isPartial) {
                    flush(to)
                    _ = to.joiner.append(written, isPartial: packet.isPartial)
                }
            }
            flush(to)
        }
    }

    private func flush(_ end: End) {
        if end.joiner.flush(to: end.device) < 0 { end.refused += 1 }
    }
}
