import LinkModel
import Packet
import TestSupport
import Testing

@testable import Reorder

@Suite struct DeadlineHeapTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func givesTheEarliestFirst(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var heap = DeadlineHeap()
        var oracle: [UInt64] = []
        for round in 0..<20_000 {
            if random.chance(round / 1000 % 2 == 0 ? 0.7 : 0.3) {
                let deadline = UInt64(random.below(1000))
                let fits = heap.insert(.init(deadline: Instant(nanoseconds: deadline), predecessor: deadline))
                try #require(fits)
                oracle.append(deadline)
                oracle.sort()
            } else if !oracle.isEmpty {
                let earliest = heap.first
                let first = try #require(earliest)
                try #require(first.deadline.nanoseconds == oracle[0] && first.predecessor == oracle[0])
                heap.removeFirst()
                oracle.removeFirst()
            }
            let (count, first) = (heap.count, heap.first?.deadline.nanoseconds)
            try #require(count == oracle.count && first == oracle.first)
        }
    }

    @Test func isBounded() {
        var heap = DeadlineHeap()
        for i in 0..<DeadlineHeap.bound {
            let fits = heap.insert(.init(deadline: Instant(nanoseconds: UInt64(i)), predecessor: 0))
            #expect(fits)
        }
        let fits = heap.insert(.init(deadline: .zero, predecessor: 0))
        #expect(!fits)
    }
}
