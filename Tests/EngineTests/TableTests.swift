import Lab
import LinkModel
import Packet
import Proto
import Testing

@testable import Engine

@Suite struct TableTests {
    @Test func addressesLeadToTheirPeer() {
        var random = SeededGenerator(seed: 4)
        var oracle: [IPAddress: Int] = [:]
        for peer in 0..<500 {
            oracle[IPAddress(v4: 0x0A4D_0000 + UInt32(peer))] = peer
            oracle[IPAddress(v6High: 0xFD77 << 48, low: UInt64(peer))] = peer
            oracle[IPAddress(v6High: random.next(), low: random.next())] = peer
        }
        let table = AddressTable(oracle.map { ($0.key, $0.value) }, key: FlowKey((1, 2, 3, 4, 5)))
        for (address, peer) in oracle { #expect(table.find(address) == peer) }
        for _ in 0..<2000 {
            let address = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            #expect(table.find(address) == oracle[address])
        }
        // An IPv4 address is not the IPv6 address of the same bits.
        #expect(table.find(IPAddress(v6High: 0, low: 0x0A4D_0001)) == nil)
        let empty = AddressTable([], key: FlowKey((1, 2, 3, 4, 5)))
        #expect(empty.find(IPAddress(v4: 0)) == nil && empty.find(IPAddress(v6High: 0, low: 0)) == nil)
    }

    /// Addresses whose hashes collide under one key do not under another.
    @Test func anotherKeyMakesOtherCollisions() {
        let first = AddressTable([], key: FlowKey((1, 2, 3, 4, 5)))
        let second = AddressTable([], key: FlowKey((6, 7, 8, 9, 10)))
        let victim = IPAddress(v6High: 0xFD77 << 48, low: 1)
        var collisions = (same: 0, other: 0)
        for low in 2..<60_000 as Range<UInt64> {
            let address = IPAddress(v6High: 0xFD77 << 48, low: low)
            guard first.hash(address, 128) & 1023 == first.hash(victim, 128) & 1023 else { continue }
            collisions.same += 1
            if second.hash(address, 128) & 1023 == second.hash(victim, 128) & 1023 {
                collisions.other += 1
            }
        }
        #expect((20...120).contains(collisions.same), "\(collisions)")
        #expect(collisions.other <= 3, "\(collisions)")
    }

    /// Compares with a scan of all networks for the longest match.
    @Test func networksLeadToTheirPeerByTheLongestPrefix() {
        var random = SeededGenerator(seed: 6)
        var networks: [Prefix: Int] = [:]
        for peer in 0..<300 {
            let bits = UInt32(truncatingIfNeeded: random.next()) | 0x0A00_0000
            let short = UInt8(8 + random.next() % 25)
            networks[Prefix(address: IPAddress(v4: bits).masked(to: Int(short)), length: short)] = peer
            let long = UInt8(16 + random.next() % 113)
            let address = IPAddress(v6High: 0xFD00 << 48 | random.next() & 0xFF, low: random.next())
            networks[Prefix(address: address.masked(to: Int(long)), length: long)] = peer
        }
        let own = IPAddress(v4: 0x0A4D_0002)
        let table = AddressTable(
            [(own, 999)], networks: networks.map { ($0.key, $0.value) }, key: FlowKey((1, 2, 3, 4, 5)))
        #expect(table.find(own) == 999)
        var hits = 0
        for _ in 0..<5000 {
            let address =
                random.next() % 2 == 0
                ? IPAddress(v4: UInt32(truncatingIfNeeded: random.next()) | 0x0A00_0000)
                : IPAddress(v6High: 0xFD00 << 48 | random.next() & 0xFF, low: random.next())
            let best = networks.filter { address.matches($0.key.address, prefix: Int($0.key.length)) }
                .max { $0.key.length < $1.key.length }
            #expect(table.find(address) == best?.value)
            if best != nil { hits += 1 }
        }
        #expect(hits > 100)
    }

    @Test func theKeyringFindsOnlyWhatIsBound() throws {
        let session = UnsafeMutablePointer<Session>.allocate(capacity: 1)
        let epoch = UnsafeMutablePointer<Epoch>.allocate(capacity: 1)
        defer {
            session.deallocate()
            epoch.deallocate()
        }
        var random = SeededGenerator(seed: 5)
        var keyring = Keyring()
        var bound: Set<UInt32> = []
        var chosen: Set<UInt32> = []
        for _ in 0..<20_000 {
            switch random.next() % 4 {
            case 0, 1:
                let fresh = keyring.choose(random: UInt32(truncatingIfNeeded: random.next()))
                let id = try #require(fresh)
                try #require(id != 0 && !chosen.contains(id) && !bound.contains(id))
                let isFound = keyring.find(id) != nil
                #expect(!isFound, "chosen, not bound yet")
                chosen.insert(id)
            case 2:
                guard let id = chosen.popFirst() else { continue }
                keyring.bind(id, to: session, epoch)
                bound.insert(id)
            default:
                guard let id = Bool.random(using: &random) ? chosen.popFirst() : bound.popFirst() else {
                    continue
                }
                keyring.release(id)
                keyring.release(id)
            }
            let stranger = UInt32(truncatingIfNeeded: random.next())
            let isFound = keyring.find(stranger) != nil
            try #require(isFound == bound.contains(stranger))
        }
        for id in bound { #expect(keyring.find(id) != nil) }
        for id in chosen { #expect(keyring.find(id) == nil) }
    }

    @Test func theKeyringIsBounded() {
        var keyring = Keyring()
        var ids: Set<UInt32> = []
        while let id = keyring.choose(random: 7) { ids.insert(id) }
        #expect(ids.count == 65535 && !ids.contains(0))
        for id in ids { keyring.release(id) }
        let again = keyring.choose(random: 7)
        #expect(again != nil)
    }

    @Test func distancesLeadBackToTheFlowsLastPacket() {
        var flows = FlowTable()
        // Flow 2's last distance exceeds the shim's range.
        let packets: [(flow: UInt32, sequence: UInt64, distance: UInt16)] = [
            (1, 0, 0), (2, 1, 0), (1, 2, 2), (1, 3, 1), (2, 65_536, 65_535), (2, 131_072, 0),
        ]
        for packet in packets {
            let distance = flows.advance(flow: packet.flow, to: packet.sequence)
            #expect(distance == packet.distance, "flow \(packet.flow), sequence \(packet.sequence)")
        }
    }

    @Test func tokensArePushedOutByNewerOnes() {
        var list = TokenList()
        for token in UInt64(1)...6 { list.append(token) }
        var tokens: [UInt64] = []
        while let token = list.removeFirst() { tokens.append(token) }
        #expect(tokens == [3, 4, 5, 6] && list.isEmpty)
    }
}
