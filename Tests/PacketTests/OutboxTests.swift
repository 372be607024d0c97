import Packet
import Testing

@Suite struct OutboxTests {
    private let link = Link(socket: 1, remote: Endpoint(address: IPAddress(v4: 1), port: 2))

    @Test func takesWhatFitsAndNoMore() {
        var outbox = Outbox(datagrams: 3, byteCount: 100)
        #expect(outbox.reserve(101) == nil)
        for byte in UInt8(1)...2 {
            guard let room = outbox.reserve(40) else {
                Issue.record("no room")
                return
            }
            room.initializeMemory(as: UInt8.self, repeating: byte)
            outbox.commit(30, to: link)
        }
        // A reserve without commit is discarded.
        #expect(outbox.reserve(40) != nil && outbox.reserve(41) == nil && outbox.count == 2)
        outbox.commit(1, to: link)
        #expect(outbox.reserve(1) == nil, "three datagrams are the most")
        #expect(outbox.datagram(outbox[0]).allSatisfy { $0 == 1 } && outbox.datagram(outbox[0]).count == 30)
        #expect(outbox.datagram(outbox[1]).allSatisfy { $0 == 2 } && outbox[1].offset == 30)
        outbox.clear()
        #expect(outbox.count == 0 && outbox.reserve(100) != nil)
    }
}
