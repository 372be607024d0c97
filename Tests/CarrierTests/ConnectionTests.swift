import CLinux
import Glibc
import Packet
import Rules
import Testing

@testable import Carrier

@Suite struct ConnectionTests {
    @Test func echoes() throws {
        let carrier = try Carrier.onLoopback()
        defer { carrier.stop() }
        let target = Target()
        let port = Wire.freePort()
        try carrier.add(.tcp(port, to: target.port))
        for v6 in [false, true] {
            let wire = try #require(Wire.connected(port, v6: v6))
            wire.write(Array("hello".utf8))
            #expect(wire.read(exactly: 5) == Array("hello".utf8))
        }
        #expect(Thread.wait { carrier.report(of: .named("web"))?.traffic.connections == 0 })
        let traffic = try #require(carrier.report(of: .named("web"))).traffic
        #expect(traffic.bytesIn == 10)
        #expect(traffic.bytesOut == 10)
    }

    @Test func carriesHalfCloses() throws {
        let carrier = try Carrier.onLoopback()
        defer { carrier.stop() }
        // Answers only once it has heard the end.
        let target = Target { wire in
            let heard = wire.readAll()
            wire.write([UInt8](String(heard.bytes.count).utf8))
        }
        let port = Wire.freePort()
        try carrier.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        wire.write([UInt8](repeating: 7, count: 100_000))
        wire.finish()
        let answer = wire.readAll()
        #expect(answer.bytes == Array("100000".utf8))
        #expect(answer.isEnd)
    }

    @Test func carriesResets() throws {
        let carrier = try Carrier.onLoopback()
        defer { carrier.stop() }
        let target = Target { wire in
            _ = wire.read()
            wire.resetsWhenClosed()
        }
        let port = Wire.freePort()
        try carrier.add(.tcp(port, to: target.port))
        let wire = try #require(Wire.connected(port))
        wire.write([1])
        #expect(wire.read() == nil)
        #expect(errno == ECONNRESET)
    }
}
