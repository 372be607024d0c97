import Lab
import Testing

extension EndToEndTests {
    @Suite("A tunnel") struct Smoke {
        @Test func pingsPassBothWaysInBothFamilies() throws {
            let tunnel = try Tunnel()
            defer { tunnel.close() }
            let laptop = try tunnel.client("laptop", uplinks: ["fibre=100/10", "lte=50/30"])
            try tunnel.start()
            for address in [Tunnel.serverAddress, Tunnel.serverAddress6] {
                #expect(try PingRun.run(from: laptop.namespace, to: address, count: 20).loss == 0)
            }
            for address in [laptop.address, laptop.address6] {
                #expect(try PingRun.run(from: tunnel.server.namespace, to: address, count: 20).loss == 0)
            }
        }
    }
}
