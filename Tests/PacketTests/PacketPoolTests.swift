import LinkModel
import Packet
import Testing

@Suite struct PacketPoolTests {
    @Test func eachOwnerReleasesOnce() {
        var pool = PacketPool(capacity: 3)
        let a = pool.reserve()
        let b = pool.reserve()
        let c = pool.reserve()
        #expect(Set([a, b, c]).count == 3 && pool.inUse == 3)
        #expect(pool.reserve() == .none)
        pool.retain(b)
        pool.release(b)
        #expect(pool.inUse == 3 && pool.reserve() == .none)
        pool.release(b)
        #expect(pool.inUse == 2)
        #expect(pool.reserve() == b)
        for slot in [a, b, c] { pool.release(slot) }
        #expect(pool.inUse == 0)
    }

    @Test func buffersDoNotOverlap() {
        var pool = PacketPool(capacity: 8)
        let slots = (0..<8).map { _ in pool.reserve() }
        for (i, slot) in slots.enumerated() {
            pool.setLength(PacketPool.maximumPacket, of: slot)
            let whole = pool.packet(in: slot, withPrefix: PacketPool.headroom)
            whole.initializeMemory(as: UInt8.self, repeating: UInt8(i))
        }
        for (i, slot) in slots.enumerated() {
            #expect(pool.room(of: slot, withPrefix: PacketPool.headroom).allSatisfy { $0 == UInt8(i) })
            #expect(pool.room(of: slot, withPrefix: 4).baseAddress == pool.room(of: slot).baseAddress! - 4)
        }
    }

    /// Compares with a simple model: offered pages are free and were used, all whole pages of that kind are
    /// offered, and no byte of an existing packet changes when the offered pages are overwritten.
    @Test(arguments: [4096, 16384], Array(UInt64(1)...4))
    func whatIsGivenBackIsFree(pageSize: Int, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var pool = PacketPool(capacity: 301)
        var held: [Slot: UInt8] = [:]
        var reach = 0
        var peak = 0
        for round in 0..<200 {
            let target = Int.random(in: 0...301, using: &random)
            while held.count < target {
                let slot = pool.reserve()
                try #require(slot != .none && held[slot] == nil)
                let mark = UInt8.random(in: 1...254, using: &random)
                pool.setLength(PacketPool.maximumPacket, of: slot)
                pool.packet(in: slot, withPrefix: PacketPool.headroom)
                    .initializeMemory(as: UInt8.self, repeating: mark)
                held[slot] = mark
                reach = max(reach, Int(slot.index) + 1)
                peak = max(peak, held.count)
            }
            while held.count > target, let slot = held.keys.randomElement(using: &random) {
                held[slot] = nil
                pool.release(slot)
            }
            try #require(pool.inUse == held.count && pool.peak == peak && pool.reach == reach)
            guard round % 3 == 0 else { continue }
            var offered = 0
            pool.shrink(pageSize: pageSize) { pages in
                #expect(Int(bitPattern: pages.baseAddress) % pageSize == 0 && pages.count % pageSize == 0)
                offered += pages.count
                pages.initializeMemory(as: UInt8.self, repeating: 255)
            }
            for (slot, mark) in held {
                let whole = pool.packet(in: slot, withPrefix: PacketPool.headroom)
                try #require(whole.allSatisfy { $0 == mark }, "seed \(seed), round \(round), slot \(slot)")
            }
            let used = Set(held.keys.map { Int($0.index) })
            // Between two packets at most two pages are shared with them.
            let free = (reach - used.count) * PacketPool.bufferSize
            #expect(offered <= free && offered >= free - (used.count + 1) * 2 * pageSize)
            reach = (used.max() ?? -1) + 1
            peak = used.count
            // The lowest are used first.
            let next = pool.reserve()
            if next != .none {
                #expect(Int(next.index) == (0...).first { !used.contains($0) })
                pool.release(next)
                reach = max(reach, Int(next.index) + 1)
                peak = max(peak, used.count + 1)
            }
        }
        for slot in held.keys { pool.release(slot) }
        pool.shrink(pageSize: pageSize) { _ in }
        #expect(pool.reach == 0 && pool.inUse == 0 && pool.peak == 0)
    }

    @Test func thePeakIsForgottenOnDemand() {
        var pool = PacketPool(capacity: 10)
        let slots = (0..<6).map { _ in pool.reserve() }
        for slot in slots { pool.release(slot) }
        #expect(pool.peak == 6)
        pool.resetPeak()
        #expect(pool.peak == 0 && pool.reach == 6)
        let slot = pool.reserve()
        #expect(pool.peak == 1)
        pool.release(slot)
        #expect(pool.peak == 1)
    }

    /// An excess release ends the process, in release builds as well, and never writes past the list of free
    /// buffers.
    @Test func oneReleaseTooManyTraps() async {
        await #expect(processExitsWith: .failure) {
            var pool = PacketPool(capacity: 1)
            let slot = pool.reserve()
            pool.release(slot)
            pool.release(slot)
        }
    }
}
