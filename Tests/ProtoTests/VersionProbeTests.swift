import Packet
import Testing

@testable import Proto

/// Checks without a session whether a server answers at an address.
@Suite struct VersionProbeTests {
    private func answer(_ probe: VersionProbe, from gatekeeper: Gatekeeper) -> [UInt8] {
        var datagram = [UInt8](repeating: 0, count: Wire.initSize)
        let length = datagram.withUnsafeMutableBytes { probe.write(to: $0) }
        var out = [UInt8](repeating: 0, count: Wire.maximumDatagram)
        let written = datagram[..<length].withUnsafeBytes { question in
            out.withUnsafeMutableBytes { gatekeeper.writeVersionReply(answering: question, into: $0) }
        }
        // It is never taken for an init.
        #expect(!datagram.withUnsafeBytes { gatekeeper.admitsMac1($0) })
        return Array(out[..<written])
    }

    @Test func onlyTheServerWithTheKeyAnswers() {
        var entropy = Entropy(seed: [UInt8](repeating: 7, count: 32))
        let (key, other) = (PrivateKey.generate(&entropy).publicKey, PrivateKey.generate(&entropy).publicKey)
        let server = Gatekeeper(staticPublic: key, entropy: &entropy)
        let probe = VersionProbe(server: key, number: 77)
        let answer = answer(probe, from: server)
        #expect(answer.count == Wire.headerSize && answer.withUnsafeBytes { probe.isAnswer($0) })
        #expect(self.answer(VersionProbe(server: other, number: 77), from: server).isEmpty)
        // An answer to another probe, half of one, and a longer one.
        let second = VersionProbe(server: key, number: 78)
        #expect(!answer.withUnsafeBytes { second.isAnswer($0) })
        #expect(!answer.dropLast().withUnsafeBytes { probe.isAnswer($0) })
        #expect(!(answer + [0]).withUnsafeBytes { probe.isAnswer($0) })
    }

    @Test func aNumberIsNeverZero() {
        var entropy = Entropy(seed: [UInt8](repeating: 7, count: 32))
        #expect(VersionProbe(server: PrivateKey.generate(&entropy).publicKey, number: 0).number != 0)
    }
}
