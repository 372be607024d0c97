import LinkModel
import Packet
import Testing

@testable import Simulation

@Suite("Streams of packets over a bare link") struct PacketStreamTests {
    @Test func pingsTakeTheRoundTrip() {
        let pings = BareLink(10, 25).run(
            PacketStream(from: .client, .echo, size: 64, every: .milliseconds(100)), seconds: 5)
        let log = pings.logs[.client]!
        #expect(log.count == 50 && log.lost == 0)
        // 78 bytes of frame at 10 Mbit/s take 62 µs each way; both ends wake up after 50 µs.
        let rtt = log.delays.quantile(0.5)!
        #expect(rtt > .milliseconds(50) && rtt < .microseconds(50_300), "\(rtt)")
    }

    @Test func lossAndOrderOfACallAreCounted() {
        let link = BareLink(10, 25, seed: 3) {
            $0.loss = 0.1
            $0.jitter = 20_000_000
            $0.reorders = true
        }
        let call = link.run(
            PacketStream(from: .client, .twoWay, size: 200, every: .milliseconds(20)), seconds: 20)
        for log in call.logs.values {
            #expect(log.count == 1000)
            #expect((60...140).contains(log.lost), "\(log.lost)")
            // Two packets 20 ms apart with delays ± 20 ms swap with probability 1/8.
            #expect((70...180).contains(log.outOfOrder), "\(log.outOfOrder)")
        }
    }

    @Test func aStreamFasterThanItsLinkLosesTheRest() {
        let stream = PacketStream(from: .server, .oneWay, size: 1400, every: .microseconds(500))
        let log = BareLink(11.312, 5).run(stream, seconds: 4).logs[.client]!
        // 1414 bytes every 500 µs are 22.6 Mbit/s, twice the link.
        #expect(abs(Double(log.lost) / Double(log.count) - 0.5) < 0.02)
    }
}
