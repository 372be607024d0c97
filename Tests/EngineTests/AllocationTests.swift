import CAllocations
import Engine
import FEC
import Packet
import Proto
import Testing

/// Two Engines exchange datagrams directly, without World's arrays, and their allocations are counted.
@Suite struct AllocationTests {
    @Test func steadyStateAllocatesNothing() throws {
        var pair = DirectPair()
        pair.connect()
        pair.exchange(packets: 100_000)  // tables grow to what they need
        let before = pair.delivered
        allocations_start()
        pair.exchange(packets: Self.packets)
        let count = allocations_stop()
        print("allocations over \(Self.packets) packets: \(count)")
        #expect(pair.delivered - before > Self.packets * 9 / 10, "the packets did arrive")
        #expect(count == 0)
    }

    /// Nor does forward error correction, once it has begun.
    @Test func codingAllocatesNothing() {
        var pool = PacketPool(capacity: 4096)
        var encoder = Encoder(prefix: 4)
        var decoder = Decoder(prefix: 4)
        let slot = pool.reserve()
        pool.setLength(1400, of: slot)
        var recovered = 0
        func pass(_ sequences: Range<UInt64>) {
            var sequence = sequences.lowerBound
            while sequence < sequences.upperBound {
                if sequence % 20 == 0 {
                    if encoder.open > 4, let repair = encoder.takeOldest() {
                        let symbol = pool.packet(in: repair.slot, withPrefix: 4)
                        decoder.take(UnsafeRawBufferPointer(symbol), of: repair.window, pool: &pool)
                        pool.release(repair.slot)
                    }
                    _ = encoder.begin(at: sequence, pool: &pool)
                }
                pool.packet(in: slot).storeBytes(of: sequence, as: UInt64.self)
                encoder.add(slot, sequence: sequence, pool: &pool)
                if sequence % 33 != 0 { decoder.note(slot, sequence: sequence, pool: &pool) }
                while let packet = decoder.popRecovered() {
                    recovered += 1
                    pool.release(packet.slot)
                }
                sequence += 1
            }
        }
        pass(0..<1000)
        allocations_start()
        pass(1000..<3000)
        #expect(allocations_stop() == 0)
        #expect(recovered > 60)
    }

    /// The counter itself works.
    @Test func theCounterCounts() {
        allocations_start()
        let array = [Int](repeating: 7, count: Int.random(in: 100...200))
        let count = allocations_stop()
        #expect(count > 0 && array[0] == 7)
    }

    #if DEBUG
        static let packets = 50_000
    #else
        static let packets = 1_000_000
    #endif
}

/// A client and a server with two paths between them, 10 µs long and without loss.
struct DirectPair: ~Copyable {
    var client: Engine
    var server: Engine
    var outbox = Outbox()
    var now = Instant(nanoseconds: 1_000_000_000)
    var delivered = 0
    private let serverEndpoint = Endpoint(address: IPAddress(v4: 0x0A00_0001), port: 5000)

    init() {
        let serverKey = PrivateKey(bytes: [UInt8](repeating: 1, count: 32))
        let clientKey = PrivateKey(bytes: [UInt8](repeating: 2, count: 32))
        client = Engine(
            EngineConfiguration(
                role: .client, peers: [.init(name: "server", publicKey: serverKey.publicKey)]),
            staticKey: clientKey, seed: [UInt8](repeating: 3, count: 32))
        server = Engine(
            EngineConfiguration(
                role: .server,
                peers: [.init(name: "client", publicKey: clientKey.publicKey, addresses: [World.inner(0)])]),
            staticKey: serverKey, seed: [UInt8](repeating: 4, count: 32))
        for path: UInt16 in 1...2 {
            client.setPath(path, role: .primary, link: Link(socket: path, remote: serverEndpoint), now: now)
        }
    }

    /// Completes a handshake and brings both paths up.
    mutating func connect() {
        for _ in 0..<2000 { turn() }
        _ = client.takeEvents()
        _ = server.takeEvents()
    }

    /// Sends packets from the client, as fast as the paths accept them.
    mutating func exchange(packets: Int) {
        var sent = 0
        var turns = 0
        while sent < packets && turns < packets * 10 {
            for _ in 0..<8 {
                let slot = client.reserve()
                guard slot != .none else { break }
                let probe = Probe(
                    World.inner(0), World.serverInner, flow: UInt16(sent & 7), number: UInt64(sent))
                client.send(slot, length: probe.write(to: client.room(of: slot)), now: now)
                sent += 1
            }
            turn()
            turns += 1
        }
        for _ in 0..<2000 { turn() }
    }

    /// Advances by 100 µs.
    mutating func turn() {
        now = now + .microseconds(100)
        let wall = Timestamp(seconds: 1_700_000_000 + now.nanoseconds / 1_000_000_000, nanoseconds: 0)
        while true {
            let done = client.service(into: &outbox, now: now, wall: wall)
            for i in 0..<outbox.count {
                let entry = outbox[i]
                let from = Endpoint(
                    address: IPAddress(v4: 0x0A00_0100 + UInt32(entry.link.socket)), port: 4000)
                server.receive(
                    UnsafeRawBufferPointer(outbox.datagram(entry)), from: Link(socket: 0, remote: from),
                    now: now)
            }
            outbox.clear()
            if done { break }
        }
        while true {
            let done = server.service(into: &outbox, now: now, wall: wall)
            for i in 0..<outbox.count {
                let entry = outbox[i]
                let path = UInt16(truncatingIfNeeded: entry.link.remote.address.low & 0xFF)
                client.receive(
                    UnsafeRawBufferPointer(outbox.datagram(entry)),
                    from: Link(socket: path, remote: serverEndpoint), now: now)
            }
            outbox.clear()
            if done { break }
        }
        while true {
            let slot = server.takeDelivery()
            if slot == .none { break }
            delivered += 1
            server.release(slot)
        }
    }
}
