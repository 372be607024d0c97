import Engine

/// Notices for the operator about handshakes that failed in the last minute.
struct HandshakeNotices {
    /// A sentence each, with the remedy.
    let sentences: [String]

    /// - Parameters:
    ///   - troubles: the counts of each data thread.
    ///   - publicKey: this host's, in base64.
    init(_ troubles: [HandshakeTroubles], publicKey: String) {
        func sum(_ count: (HandshakeTroubles) -> Int) -> Int { troubles.reduce(0) { $0 + count($1) } }
        func handshakes(_ count: Int) -> String {
            "\(count) handshake\(count == 1 ? "" : "s") in the last minute"
        }
        var sentences: [String] = []
        let unknown = sum(\.unknownKeys)
        if unknown > 0 {
            sentences.append(
                "\(handshakes(unknown)) used keys that this server does not know; a client that was revoked or set up again needs a new invitation: bondd invite NAME"
            )
        }
        let wrong = sum(\.wrongServerKeys)
        if wrong > 0 {
            sentences.append(
                "\(handshakes(wrong)) were meant for another server's key; a client that can't connect needs [server] public_key = \"\(publicKey)\""
            )
        }
        let suites = sum(\.otherSuites)
        if suites > 0 {
            sentences.append(
                "\(handshakes(suites)) used another cipher; set the same [tunnel] cipher on both ends")
        }
        let unreadable = sum(\.unreadable)
        if unreadable > 0 {
            sentences.append(
                "the server answers, but its answers can't be opened (\(handshakes(unreadable))): the preshared keys differ; give both ends the same preshared_key_file, or neither"
            )
        }
        for peer in troubles.flatMap(\.peers) { sentences += Self.sentences(on: peer) }
        self.sentences = sentences
    }

    private static func sentences(on peer: HandshakeTroubles.Peer) -> [String] {
        var sentences: [String] = []
        if peer.unconfirmed >= HandshakeTroubles.fewestUnconfirmed {
            sentences.append(
                "client \"\(peer.name)\" has asked for a session \(peer.unconfirmed) times in the last minute and never used the answer: its preshared key differs from this server's, or answers do not reach it"
            )
        }
        if peer.takeovers >= HandshakeTroubles.fewestTakeovers {
            let places = peer.rivals.map { " (\($0.0) and \($0.1))" } ?? ""
            sentences.append(
                "two hosts use the key of client \"\(peer.name)\"\(places) and displace each other, \(peer.takeovers) times in the last minute; give each a key of its own: bondd invite NAME"
            )
        }
        return sentences
    }
}
