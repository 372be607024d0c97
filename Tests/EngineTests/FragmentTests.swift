import Packet
import Testing

@testable import Engine

@Suite struct FragmentTests {
    /// The server's interface does not know a client's small path MTU. Packets that may be fragmented arrive in
    /// fragments that reassemble correctly, with a completed checksum if it was partial; others are answered
    /// with an error.
    @Test(arguments: [true, false]) func whatMayBeCutIsCut(_ isPartial: Bool) throws {
        let world = try World(clients: [["50/10"]], seed: 11)
        world.link(1).up.shape.mtu = 1000
        world.link(1).down.shape.mtu = 1000
        world.run(for: .seconds(4))
        var pieces: [[UInt8]] = []
        world.clients[0].onPacket = { pieces.append($0) }
        var whole: [UInt8] = []
        for number in UInt64(1)...20 {
            var probe = Probe(World.serverInner, World.inner(0), number: number, payload: 1340)
            probe.mayBeCut = true
            let slot = world.server.engine.reserve()
            let length = probe.write(to: world.server.engine.room(of: slot))
            whole = [UInt8](world.server.engine.room(of: slot)[..<length])
            if isPartial {
                let room = world.server.engine.room(of: slot)
                let sum = Checksum.pseudoHeader(
                    of: UnsafeRawBufferPointer(room), protocol: 17, length: length - 20)
                room.storeBigEndian(sum, at: 26)
            }
            world.server.engine.send(slot, length: length, hasPartialChecksum: isPartial, now: world.now)
            world.settle(-1)
        }
        world.run(for: .seconds(1))
        #expect(world.server.drops.packetTooBig == 0 && world.server.buffers == 0)
        #expect(pieces.count == 40 && pieces.allSatisfy { $0.count <= 950 })
        let last = try #require(pieces.dropLast().last)
        let rest = try #require(pieces.last)
        #expect(last[6] & 0x20 != 0 && rest[6] & 0x20 == 0)
        let offset = (Int(rest[6] & 0x1F) << 8 | Int(rest[7])) * 8
        #expect(offset == last.count - 20)
        var payload = Array(last[20...] + rest[20...])
        if isPartial {
            var packet = Array(whole[..<20]) + payload
            let full = packet.withUnsafeMutableBytes { packet in
                Checksum.sum(
                    UnsafeRawBufferPointer(packet.dropping(20)),
                    UInt32(
                        Checksum.pseudoHeader(
                            of: UnsafeRawBufferPointer(packet), protocol: 17, length: packet.count - 20))
                        << 16)
            }
            #expect(full == 0xFFFF, "the checksum is finished")
            (payload[6], payload[7]) = (0, 0)
        }
        #expect(payload == Array(whole[20...]))
        world.send(Probe(World.serverInner, World.inner(0), number: 30, payload: 1340), from: -1)
        #expect(world.server.drops.packetTooBig == 1)
    }
}
