import Packet
import Proto

// Mismatched cipher suites: both ends report it, and neither gives in.
extension Engine {
    private static var quietTime: Interval { .seconds(60) }

    /// Server: an init did not open. If it opens with another suite and is a known client's, the client is
    /// told.
    ///
    /// An init that fails the first reading costs a second one, with at most two key agreements: no more than
    /// a valid init.
    /// - Returns: whether that was the reason.
    mutating func refuseSuite(
        of datagram: UnsafeRawBufferPointer, _ header: Header, _ arrival: InitArrival, now: Instant
    ) -> Bool {
        for other in CipherSuite.allCases where other != suite {
            do throws(ProtoError) {
                let responder = try Responder(reading: datagram, staticKey: staticKey, suite: other)
                let key = responder.initiator
                guard let peer = peers.firstIndex(where: { $0.configuration.publicKey == key }) else {
                    continue
                }
                guard answers(peer, datagram, arrival) else { return true }
                // An init from before the client was given our suite, replayed by someone else.
                if let last = peers[peer].lastTimestamp, responder.payload.timestamp <= last { continue }
                resources.drops.suiteMismatch += 1
                handshakeRecord.otherSuites.note(now)
                guard refuse(.suite, responder, header, to: arrival.link) else { return true }
                if isQuiet(since: peers[peer].suiteMismatchAt, now: now) {
                    peers[peer].suiteMismatchAt = now
                    resources.events.append(.suiteMismatch(peer: peers[peer].configuration.name))
                }
                return true
            } catch {
                continue
            }
        }
        return false
    }

    /// Client: the server reports that it uses another suite, or does not know our key.
    mutating func noteRefusal(
        _ datagram: UnsafeRawBufferPointer, of attempt: UnsafeMutablePointer<Attempt>, now: Instant
    ) {
        guard let refusal = attempt.pointee.initiator.refusal(in: datagram) else {
            resources.drops.handshake += 1
            return
        }
        if refusal == .secret && tryOtherSecret(than: attempt.pointee.secret) {
            (dialer.nextAttempt, dialer.roundEnd) = (now, .zero)
            return
        }
        guard isQuiet(since: dialer.refusedAt, now: now) else { return }
        dialer.refusedAt = now
        switch refusal {
        case .suite: resources.events.append(.suiteRefused)
        case .unknownKey: resources.events.append(.keyRefused)
        case .secret: resources.events.append(.secretRefused)
        }
    }

    private func isQuiet(since last: Instant?, now: Instant) -> Bool {
        last.map { now - $0 >= Self.quietTime } ?? true
    }
}
