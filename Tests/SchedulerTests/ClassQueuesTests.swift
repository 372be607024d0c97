import LinkModel
import Packet
import TestSupport
import Testing

@testable import Scheduler

@Suite struct ClassQueuesTests {
    /// Queues with classes, their pool, notes and clock. Flows have the number of their class.
    private final class Rig {
        var pool = PacketPool(capacity: 16384)
        let notes = PacketNotes(capacity: 16384)
        var queues = ClassQueues()
        var now = Instant(nanoseconds: 1_000_000_000)
        /// No flow's queue is too long: the shares are what matters.
        var limits = CoDel.Limits(target: .seconds(1000))
        var waiting: [Int: Int] = [:]
        /// The queues cannot be copied, as `#expect` does.
        var count: Int { queues.count }
        var classCount: Int { queues.classCount }
        var readyAt: Instant { queues.readyAt }
        var isFirstForemost: Bool { queues.isFirstForemost }
        var buffers: Int { pool.inUse }
        func queued(_ number: Int) -> Int { queues.report(of: number).queued }
        func overflowed(_ number: Int) -> UInt64 { queues.report(of: number).counters.overflowed }

        init(_ classes: [ServiceClass], rate: Double = 1e6) {
            let classifier = Classifier(classes)
            queues.replace(classes, classifier, now: now, pool: &pool, notes: notes)
            queues.beginTurn(rate: rate)
        }

        @discardableResult
        func add(_ number: Int, length: Int = 1400, flow: UInt32? = nil) -> Int {
            let slot = pool.reserve()
            pool.setLength(length, of: slot)
            var note = PacketNotes.Note()
            (note.entered, note.flow, note.serviceClass) = (now, flow ?? UInt32(number), UInt8(number))
            notes[slot] = note
            let dropped = queues.append(slot, length: length, now: now, pool: &pool, notes: notes)
            waiting[number, default: 0] += 1 - dropped
            return dropped
        }

        func take() -> (number: Int, length: Int)? {
            let slot = queues.first(limits, now: now, pool: &pool, notes: notes)
            guard slot != .none else { return nil }
            let result = (Int(notes[slot].serviceClass), pool.length(of: slot))
            queues.removeFirst(length: result.1, wasSent: true, now: now, notes: notes)
            pool.release(slot)
            waiting[result.0, default: 0] -= 1
            return result
        }

        /// The bytes of each class that leave in `packets` packets, while these classes always have some waiting.
        func carry(_ packets: Int, wanting numbers: [Int], length: (Int) -> Int = { _ in 1400 }) -> [Int: Int]
        {
            var bytes: [Int: Int] = [:]
            for _ in 0..<packets {
                for number in numbers where waiting[number, default: 0] < 3 {
                    for _ in 0..<3 { add(number, length: length(number)) }
                }
                guard let packet = take() else { continue }
                bytes[packet.number, default: 0] += packet.length
            }
            return bytes
        }
    }

    private static func share(_ bytes: [Int: Int], _ number: Int) -> Double {
        Double(bytes[number] ?? 0) / Double(max(bytes.values.reduce(0, +), 1))
    }

    @Test func sharesAddUp() {
        func shares(_ given: [UInt8]) -> [Double] {
            ClassQueues.shares(of: given.map { ServiceClass(name: "c", share: $0) })
        }
        #expect(shares([]) == [1])
        #expect(shares([20]) == [0.8, 0.2])
        #expect(shares([0]) == [0.5, 0.5])
        #expect(shares([40, 0]) == [0.3, 0.4, 0.3])
        let full = shares([60, 40])
        #expect(full[0] > 0.002 && full.reduce(0, +) == 1)
    }

    /// All want all: each gets its share, whatever its priority and the size of its packets.
    @Test(arguments: [1, 2] as [UInt64])
    func sharesHold(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5 {
            var left = 95
            let classes = (0..<Int.random(in: 1...8, using: &random)).map { index in
                let share = Int.random(in: 1...max(1, left / 2), using: &random)
                left -= share
                return ServiceClass(
                    name: "c\(index)", priority: UInt8.random(in: 0...3, using: &random), share: UInt8(share))
            }
            let sizes = (0...classes.count).map { _ in Int.random(in: 60...1400, using: &random) }
            let rig = Rig(classes)
            _ = rig.carry(5000, wanting: Array(0...classes.count)) { sizes[$0] }
            let bytes = rig.carry(100_000, wanting: Array(0...classes.count)) { sizes[$0] }
            for (index, share) in ClassQueues.shares(of: classes).enumerated() {
                #expect(
                    abs(Self.share(bytes, index) / share - 1) < 0.03,
                    "seed \(seed): class \(index) of \(classes.map(\.share)) got \(Self.share(bytes, index))")
            }
        }
    }

    /// Whatever comes when: a packet leaves as long as one waits, nothing is lost or starves, and a class that
    /// wants less than its share gets all of it soon.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func anyArrivalsAreServed(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let classes = [
            ServiceClass(name: "a", priority: 0, share: 20), ServiceClass(name: "b", priority: 1, share: 30),
            ServiceClass(name: "c", priority: 3, share: 1),
        ]
        let rig = Rig(classes)
        var arrived = 0
        var left = 0
        var idle: [Int: Int] = [:]
        for _ in 0..<60_000 {
            // On average as much as leaves, in bursts.
            if Int.random(in: 0..<10, using: &random) == 0 {
                let number = Int.random(in: 0...3, using: &random)
                for _ in 0..<Int.random(in: 1...19, using: &random) {
                    rig.add(number, flow: UInt32(number * 7 + Int.random(in: 0..<3, using: &random)))
                    arrived += 1
                }
            }
            let hadAny = rig.count > 0
            let packet = rig.take()
            #expect((packet != nil) == hadAny)
            guard let packet else { continue }
            left += 1
            for number in 0...3 {
                idle[number] =
                    number == packet.number || rig.waiting[number, default: 0] == 0
                    ? 0 : idle[number, default: 0] + 1
                // 1 % is every hundredth packet, after the credit that the others had saved.
                #expect(idle[number, default: 0] < 400, "class \(number) waits")
            }
        }
        #expect(arrived == left + rig.count)
        while rig.take() != nil { left += 1 }
        #expect(arrived == left && rig.count == 0 && rig.buffers == 0)
    }

    /// What a class leaves goes to the lowest priority that wants more, and to equal ones by their shares.
    @Test func theRestGoesByPriority() {
        let classes = [
            ServiceClass(name: "calls", priority: 0, share: 40),
            ServiceClass(name: "web", priority: 1, share: 10),
            ServiceClass(name: "mail", priority: 1, share: 20),
            ServiceClass(name: "backup", priority: 3, share: 10),
        ]
        var rig = Rig(classes)
        // The 40 % of calls go to web and mail, which keep their ratio; backup and the default class have theirs.
        _ = rig.carry(2000, wanting: [0, 2, 3, 4])
        var bytes = rig.carry(20_000, wanting: [0, 2, 3, 4])
        #expect(abs(Self.share(bytes, 0) - 0.2) < 0.01 && abs(Self.share(bytes, 4) - 0.1) < 0.01, "\(bytes)")
        #expect(abs(Self.share(bytes, 3) / Self.share(bytes, 2) - 2) < 0.1, "\(bytes)")
        rig = Rig(classes)
        bytes = rig.carry(20_000, wanting: [4])
        #expect(bytes[4] == 20_000 * 1400, "alone it has everything")
    }

    /// A call that wants less than its share waits for no more than the packet that is leaving.
    @Test func belowItsShareTheLowestPriorityIsNext() {
        let rig = Rig([ServiceClass(name: "calls", priority: 0, share: 20)])
        for _ in 0..<2000 { rig.add(0, flow: 5) }
        for round in 0..<150 {
            for _ in 0..<8 { _ = rig.take() }
            rig.add(1, length: 200, flow: 9)
            #expect(rig.take()?.number == 1, "round \(round)")
            #expect(rig.isFirstForemost)
        }
        // Beyond it, it has its turns like the others.
        var calls = 0
        for _ in 0..<600 {
            rig.add(1, length: 1400, flow: 9)
            if rig.take()?.number == 1 { calls += 1 }
        }
        #expect((100...240).contains(calls), "\(calls)")
    }

    /// A ceiling holds a class back even alone, and its queue stays short; the others get the rest.
    @Test func aCeilingIsKept() {
        let rig = Rig([ServiceClass(name: "backup", priority: 0, share: 50, ceiling: 8000)], rate: 1e7)
        var bytes: [Int: Int] = [:]
        var dropped = 0
        for _ in 0..<100_000 {
            rig.now = rig.now + .microseconds(100)
            dropped += rig.add(1)
            if rig.waiting[0, default: 0] < 3 { rig.add(0) }
            guard let packet = rig.take() else { continue }
            bytes[packet.number, default: 0] += packet.length
        }
        // 1 MB/s for 10 s.
        #expect(abs(Double(bytes[1]!) / 1e7 - 1) < 0.02, "\(bytes)")
        #expect(bytes.values.reduce(0, +) == 100_000 * 1400)
        #expect(dropped > 0 && rig.queued(1) * 1400 <= 160_000)
        while rig.waiting[0, default: 0] > 0 { _ = rig.take() }
        #expect(rig.take() == nil && rig.count > 0)
        #expect(rig.readyAt > rig.now && rig.readyAt < rig.now + .milliseconds(3))
    }

    /// An overflow costs the class that has most waiting for its share.
    @Test func overflowsAreTheGreedyClassesOwn() {
        let rig = Rig([ServiceClass(name: "calls", priority: 0, share: 20)])
        for _ in 0..<50 { rig.add(1) }
        for _ in 0..<1000 { rig.add(0) }
        for _ in 0..<10 { _ = rig.queues.dropFromLongest(pool: &rig.pool, notes: rig.notes) }
        #expect(rig.queued(1) == 50 && rig.queued(0) < 1000)
        #expect(
            rig.overflowed(0) == UInt64(1000 - rig.queued(0)))
    }

    /// Packets that wait move into the new classes, and none is lost.
    @Test func newClassesTakeThePacketsOver() {
        let rig = Rig([ServiceClass(name: "a", share: 20), ServiceClass(name: "b", share: 20)])
        for number in 0...2 { for _ in 0..<50 { rig.add(number) } }
        rig.queues.replace([], Classifier([]), now: rig.now, pool: &rig.pool, notes: rig.notes)
        #expect(rig.classCount == 1 && rig.count == 150)
        let classes = [ServiceClass(name: "c", share: 50)]
        rig.queues.replace(classes, Classifier(classes), now: rig.now, pool: &rig.pool, notes: rig.notes)
        // A note of a class that is gone counts as the default one's.
        rig.add(2)
        #expect(rig.queued(0) == 151)
        var count = 0
        while rig.take() != nil { count += 1 }
        #expect(count == 151 && rig.buffers == 0)
    }
}
