import LinkModel
import Testing

@testable import Lab

@Suite("The heap of frames in flight") struct DeliveryHeapTests {
    /// Compares with a sorted array; equal times must come out in insertion order.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func matchesASortedArray(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = DeliveryHeap<UInt32>(capacity: 16)
        var oracle: [(time: UInt64, frame: UInt32)] = []
        var now: UInt64 = 0
        for frame in 0..<2000 as Range<UInt32> {
            let time = now + .random(in: 0...50, using: &random)
            heap.push(time: time, frame: frame, lane: Int(frame) % 6)
            let place = oracle.firstIndex { $0.time > time } ?? oracle.count
            oracle.insert((time, frame), at: place)
            now += .random(in: 0...3, using: &random)
            while let entry = heap.pop(dueBy: now) {
                #expect(entry.lane == entry.frame % 6)
                #expect(oracle.first.map { $0 == (entry.time, entry.frame) } == true, "seed \(seed)")
                oracle.removeFirst()
            }
            #expect(heap.nextTime == oracle.first?.time && oracle.first.map { $0.time > now } != false)
        }
    }

    @Test func theSlabGivesEachBufferOnce() {
        var slab = FrameSlab(memory: 10 * FrameSlab.stride)
        var frames = Set<UInt32>()
        while let frame = slab.reserve() { #expect(frames.insert(frame).inserted) }
        #expect(frames.count == 10)
        slab.release(3)
        #expect(slab.reserve() == 3)
        #expect(slab.reserve() == nil)
    }
}
