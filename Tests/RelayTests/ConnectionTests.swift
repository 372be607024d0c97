import CLinux
import Glibc
import Packet
import Rules
import Testing

@testable import Relay

@Suite struct ConnectionTests {
    @Test func echoes() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target()
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        for v6 in [false, true] {
            let wire = try #require(Wire.connected(port, v6: v6))
            wire.write(Array("hello".utf8))
            #expect(wire.read(exactly: 5) == Array("hello".utf8))
        }
        #expect(Thread.wait { relay.report(of: .named("web"))?.traffic.connections == 0 })
        let traffic = try #require(relay.report(of: .named("web"))).traffic
        #expect(traffic.bytesIn == 10)
        #expect(traffic.bytesOut == 10)
    }

    @Test func carriesHalfCloses() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        // Answers only after the end of stream.
        let target = Target { wire in
            let heard = wire.readAll()
            wire.write([UInt8](String(heard.bytes.count).utf8))
        }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        wire.write([UInt8](repeating: 7, count: 100_000))
        wire.finish()
        let answer = wire.readAll()
        #expect(answer.bytes == Array("100000".utf8))
        #expect(answer.isEnd)
    }

    @Test func carriesResets() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target { wire in
            _ = wire.read()
            wire.resetsWhenClosed()
        }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        wire.write([1])
        #expect(wire.read() == nil)
        #expect(errno == ECONNRESET)
    }

    /// 16 MiB each way at once; every byte depends on its position.
    @Test func passesAllBytesInOrder() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let size = 16 << 20
        let target = Target { wire in
            Thread.start {
                for start in stride(from: 0, to: size, by: 1 << 20) {
                    wire.write(Pattern.bytes(start, 1 << 20))
                }
            }
            let isRight = Pattern.matches(wire, size)
            wire.write(Array((isRight ? "right" : "wrong").utf8))
        }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        Thread.start {
            for start in stride(from: 0, to: size, by: 1 << 20) { wire.write(Pattern.bytes(start, 1 << 20)) }
        }
        #expect(Pattern.matches(wire, size))
        #expect(wire.read(exactly: 5) == Array("right".utf8))
        let traffic = try #require(relay.report(of: .named("web"))).traffic
        #expect(traffic.bytesIn == UInt64(size))
        #expect(traffic.bytesOut == UInt64(size + 5))
    }

    /// A reader that does not read stops the writer; written bytes are then in sockets and at most one pipe.
    @Test func holdsWritersBack() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target { wire in
            sleep(2)
            wire.write([UInt8](String(wire.readAll().bytes.count).utf8))
        }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        wire.setPatience(milliseconds: 500)
        var sent = 0
        let chunk = [UInt8](repeating: 1, count: 65_536)
        while sent < 256 << 20 {
            let count = send(wire.descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
            if count < 0 { break }
            sent += count
        }
        #expect(sent < 64 << 20)
        wire.finish()
        wire.setPatience(milliseconds: 10_000)
        #expect(wire.readAll().bytes == Array(String(sent).utf8))
    }

    /// Silent connections hold no pipes: two descriptors each.
    @Test func idleConnectionsHoldNoPipes() async throws {
        await #expect(processExitsWith: .success) {
            let relay = try Relay.onLoopback()
            let target = Target()
            let port = Wire.freePort()
            try relay.add(.tcp(port, to: target.port))
            var wires: [Wire] = []
            let before = Descriptors.count
            for _ in 0..<200 {
                let wire = Wire.connected(port)!
                wire.write([1])
                precondition(wire.read(exactly: 1) == [1])
                wires.append(wire)
            }
            // Both ends of both connections are in this process; 64 pipes may be kept for reuse.
            let held = Descriptors.count - before
            precondition(held >= 800 && held <= 800 + 128, "\(held) descriptors")
            wires = []
            precondition(Thread.wait { relay.report(of: .named("web"))?.traffic.connections == 0 })
            relay.stop()
        }
    }

    /// A caller that resets while the target does not read is detected at once.
    @Test func noticesResetsWhileBytesWait() throws {
        let relay = try Relay.onLoopback()
        defer { relay.stop() }
        let target = Target { _ in sleep(20) }
        let port = Wire.freePort()
        try relay.add(.tcp(port, to: target.port))
        var wire = Wire.connected(port)
        wire?.setPatience(milliseconds: 300)
        let chunk = [UInt8](repeating: 1, count: 1 << 20)
        while wire?.write(chunk) == true {}
        wire?.resetsWhenClosed()
        wire = nil
        #expect(Thread.wait { relay.report(of: .named("web"))?.traffic.connections == 0 })
    }

    /// Without descriptors for pipes bytes are copied, and all of them arrive.
    @Test func passesBytesWithoutPipes() async {
        await #expect(processExitsWith: .success) {
            let size = 1 << 20
            let target = Target { wire in
                let isRight = Pattern.matches(wire, size)
                usleep(100_000)
                wire.write(isRight ? Pattern.bytes(0, size) : [])
            }
            let port = Wire.freePort()
            let relay = try Relay.onLoopback()
            try relay.add(.tcp(port, to: target.port))
            let wire = Wire.connected(port)!
            precondition(Thread.wait { target.count == 1 })
            Descriptors.limit(to: 1024)
            while dup(0) >= 0 {}
            Thread.start {
                wire.write(Pattern.bytes(0, size))
                wire.finish()
            }
            precondition(Pattern.matches(wire, size))
            precondition(wire.read() == [])
            relay.stop()
        }
    }
}
