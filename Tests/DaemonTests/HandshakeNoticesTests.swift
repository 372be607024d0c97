import Testing

@testable import Daemon
@testable import Engine

/// Failing handshakes.
@Suite struct HandshakeNoticesTests {
    @Test func troublesAreTold() {
        #expect(
            HandshakeNotices([HandshakeTroubles(), HandshakeTroubles()], publicKey: "KEY").sentences.isEmpty)
        var troubles = HandshakeTroubles()
        (troubles.unknownKeys, troubles.wrongServerKeys, troubles.otherSuites, troubles.unreadable) = (
            2, 1, 3, 4
        )
        troubles.peers = [
            .init(name: "laptop", unconfirmed: 5, takeovers: 0),
            .init(name: "phone", unconfirmed: 0, takeovers: 6),
        ]
        let sentences = HandshakeNotices([troubles, troubles], publicKey: "KEY").sentences
        #expect(sentences.count == 8)
        for (index, words) in [
            (0, "4 handshakes in the last minute used keys"), (1, "\"KEY\""), (2, "cipher"),
            (3, "preshared keys differ"),
            (4, "client \"laptop\" has asked"), (5, "two hosts use the key of client \"phone\""),
        ] { #expect(sentences[index].contains(words), "\(sentences[index])") }
    }
}
