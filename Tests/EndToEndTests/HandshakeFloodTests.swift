import Glibc
import Lab
import Packet
import Proto
import Testing

extension EndToEndTests {
    /// A server flooded with inits by strangers.
    @Suite("HandshakeFlood") struct HandshakeFlood {
        /// 10,000 per second with a cookie, then 100,000 per second without: a proper handshake completes
        /// within a second, and established sessions lose next to nothing.
        @Test func honestHandshakesAndSessionsOutliveIt() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", wires: ["plain"])
            let (crowd, visitors) = (try tunnel.lab.namespace("crowd"), try tunnel.lab.namespace("visitors"))
            let wires = [
                try tunnel.lab.veth("mob", from: crowd, to: tunnel.server.namespace),
                try tunnel.lab.veth("door", from: visitors, to: tunnel.server.namespace),
            ]
            let endpoints = try wires.map {
                Endpoint(address: try #require(IPAddress($0.addresses.ipv4(.server))), port: 5000)
            }
            let keys = (1...8 as ClosedRange<UInt8>).map { [UInt8](repeating: $0, count: 32) }
            try tunnel.changeServer { file in
                for (number, key) in keys.enumerated() {
                    file.clients.append(
                        .init(
                            name: "visitor\(number)", publicKey: PrivateKey(bytes: key).publicKey.base64,
                            addresses: ["10.77.0.\(100 + number)"]))
                }
            }
            try tunnel.start()
            let serverKey = tunnel.server.publicKey
            let flood = try InitFlood(from: crowd, to: endpoints[0], server: serverKey)
            try #require(flood.hasCookie)
            // A debug build takes some ten times as long for each of them, and is saturated earlier.
            let isDebug = try Program().path.contains("/debug/")
            for (phase, rate) in [(0, 10_000), (1, isDebug ? 10_000 : 100_000)] {
                let before = try tunnel.server.status().drops
                let pings = try PingRun.start(from: laptop.namespace, to: Tunnel.serverAddress, count: 300)
                flood.start(rate: rate, cookies: phase == 0)
                for key in keys[(phase * 4)..<(phase * 4 + 4)] {
                    let time = try InitFlood.shakeHands(
                        PrivateKey(bytes: key), from: visitors, to: endpoints[1], server: serverKey)
                    measured("a handshake next to \(rate) inits a second", (time ?? .infinity) * 1000, "ms")
                    #expect((time ?? .infinity) <= 1)
                    usleep(300_000)
                }
                let run = pings.finish()
                measured("inits sent", Double(flood.stop()), "")
                measured("pings lost next to them", run.loss * 100, "%")
                #expect(run.loss <= 0.03)
                let drops = try tunnel.server.status().drops
                let name = phase == 0 ? "source_limited" : "cookies"
                #expect((drops[name] ?? 0) > (before[name] ?? 0) + 2000, "\(drops)")
            }
        }
    }
}
