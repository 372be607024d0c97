import Packet
import Testing

@testable import Proto

/// The speed at which each library seals and opens packets of 1400 bytes. Prints, and only checks that they
/// open. To measure: `swift test -c release -Xswiftc -enable-testing --filter BulkSpeed` on a quiet machine.
@Suite(.serialized) struct BulkSpeed {
    @Test(arguments: DirectionKeyTests.kinds) func speed(_ suite: CipherSuite, _ provider: AEADProvider)
        throws
    {
        let length = 1400
        let count = 20_000
        let material = Buffer((0..<44).map { $0 &* 5 }).read
        let key = DirectionKey(material: material, suite: suite, provider: provider)!
        let header = Buffer(24).read
        let plaintext = Buffer(length)
        let sealed = Buffer(length + 16)
        let opened = Buffer(length)
        var (sealing, opening) = (Duration.seconds(1000), Duration.seconds(1000))
        var failures = 0
        // The best of several turns: others use the machine too.
        for _ in 0..<5 {
            var start = ContinuousClock.now
            for number in 0..<UInt64(count) {
                _ = key.seal(
                    plaintext.read, into: sealed.bytes, header: header, pathID: 1, packetNumber: number)
            }
            sealing = min(sealing, ContinuousClock.now - start)
            start = ContinuousClock.now
            for _ in 0..<count {
                let isOpened = key.open(
                    sealed.read, into: opened.bytes, header: header, pathID: 1,
                    packetNumber: UInt64(count - 1))
                if !isOpened { failures += 1 }
            }
            opening = min(opening, ContinuousClock.now - start)
        }
        #expect(failures == 0)
        func rate(_ time: Duration) -> Double {
            let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
            return (Double(count * length * 8) / seconds / 1e7).rounded() / 100
        }
        print("\(suite) (\(provider)): seal \(rate(sealing)), open \(rate(opening)) Gbit/s")
    }
}
