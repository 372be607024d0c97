import Packet
import Testing

@testable import Simulation

@Suite("The receiving end of TCP") struct TCPReceiverTests {
    private func take(_ numbers: [Int], _ receiver: inout TCPReceiver) {
        for number in numbers {
            receiver.take(Segment(sequence: number, timestamp: UInt32(100 + number)), now: .zero)
        }
    }

    private func acknowledge(_ receiver: inout TCPReceiver) -> Segment {
        var segment = Segment()
        receiver.acknowledge(into: &segment)
        return segment
    }

    @Test func everySecondSegmentIsAcknowledgedOrAfter40Milliseconds() {
        var receiver = TCPReceiver(window: 64)
        take([0], &receiver)
        #expect(!receiver.owesACK(now: .zero))
        #expect(receiver.due == .zero + .milliseconds(40))
        #expect(receiver.owesACK(now: receiver.due))
        take([1], &receiver)
        #expect(receiver.owesACK(now: .zero))
        let ack = acknowledge(&receiver)
        #expect(ack.acknowledged == 2 && ack.blocks.isEmpty && ack.echo == 100)
        #expect(receiver.due == .never)
    }

    @Test func blocksTellTheLatestFirst() {
        var receiver = TCPReceiver(window: 64)
        take([0, 2, 3, 5, 9, 7, 10], &receiver)
        #expect(receiver.owesACK(now: .zero))
        let ack = acknowledge(&receiver)
        #expect(ack.acknowledged == 1)
        #expect(
            ack.blocks == [
                .init(start: 9, end: 11), .init(start: 7, end: 8), .init(start: 5, end: 6),
            ])
        take([1], &receiver)
        #expect(receiver.owesACK(now: .zero))
        #expect(acknowledge(&receiver).acknowledged == 4)
        #expect(receiver.outOfOrder == 2)
    }

    @Test func whatComesTwiceIsSaid() {
        var receiver = TCPReceiver(window: 64)
        take([0, 1, 3], &receiver)
        _ = acknowledge(&receiver)
        take([1], &receiver)
        #expect(acknowledge(&receiver).blocks == [.init(start: 1, end: 2), .init(start: 3, end: 4)])
        take([3], &receiver)
        #expect(acknowledge(&receiver).blocks == [.init(start: 3, end: 4), .init(start: 3, end: 4)])
        #expect(receiver.duplicates == 2)
        #expect(acknowledge(&receiver).blocks == [.init(start: 3, end: 4)])
    }

    /// RFC 3168: until the sender confirms its reaction.
    @Test func congestionIsEchoedUntilTheSenderReacts() {
        var receiver = TCPReceiver(window: 64)
        receiver.take(Segment(sequence: 0, ecn: InnerHeader.ECN.congested), now: .zero)
        #expect(acknowledge(&receiver).echoesCongestion)
        receiver.take(Segment(sequence: 1, ecn: InnerHeader.ECN.capable), now: .zero)
        #expect(acknowledge(&receiver).echoesCongestion)
        receiver.take(
            Segment(sequence: 2, ecn: InnerHeader.ECN.capable, hasReducedWindow: true), now: .zero)
        #expect(!acknowledge(&receiver).echoesCongestion)
    }

    @Test func segmentsSurviveTheWire() {
        let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: Segment.size(3), alignment: 8)
        defer { packet.deallocate() }
        var segment = Segment(
            sequence: 7, acknowledged: 300_000, timestamp: 5, echo: 6, ecn: 2, echoesCongestion: true)
        segment.blocks = [
            .init(start: 1, end: 2), .init(start: 5, end: 9), .init(start: 300_001, end: 300_002),
        ]
        segment.write(to: packet, from: .server, flow: 3)
        var read = Segment()
        read.read(UnsafeRawBufferPointer(packet))
        #expect(read.sequence == 7 && read.acknowledged == 300_000 && read.timestamp == 5 && read.echo == 6)
        #expect(read.ecn == 2 && read.echoesCongestion && !read.hasReducedWindow)
        #expect(read.blocks == segment.blocks)
        #expect(InnerHeader.flow(of: UnsafeRawBufferPointer(packet), at: .client) == 3)
        // For the Engine it is a packet of the flow.
        let inner = InnerPacket(parsing: UnsafeRawBufferPointer(packet))
        #expect(inner?.length == packet.count && inner?.source == InnerHeader.serverAddress)
    }
}
