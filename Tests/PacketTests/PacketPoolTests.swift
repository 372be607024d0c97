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
}
