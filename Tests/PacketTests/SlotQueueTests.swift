import LinkModel
import Packet
import TestSupport
import Testing

@Suite struct SlotQueueTests {
    @Test(arguments: [1, 3, 64, 100, 500])
    func isAFirstInFirstOutQueue(_ bound: Int) throws {
        var random = SeededGenerator(seed: UInt64(bound))
        var pool = PacketPool(capacity: 1024)
        var queue = SlotQueue(bound: bound)
        var oracle: [Slot] = []
        for round in 0..<20_000 {
            if random.chance(round / 2000 % 2 == 0 ? 0.6 : 0.4) {
                let slot = pool.reserve()
                let length = random.below(1400)
                pool.setLength(length, of: slot)
                let fits = queue.append(slot, length: length)
                try #require(fits == (oracle.count < bound))
                if fits { oracle.append(slot) } else { pool.release(slot) }
            } else if let first = oracle.first {
                #expect(queue.first == first)
                queue.removeFirst(length: pool.length(of: first))
                oracle.removeFirst()
                pool.release(first)
            }
            if round % 100 == 99 { queue.shrink() }
            #expect(queue.count == oracle.count && queue.isEmpty == oracle.isEmpty)
            #expect(queue.bytes == oracle.reduce(0) { $0 + pool.length(of: $1) })
            #expect(queue.first == oracle.first ?? .none)
        }
    }
}
