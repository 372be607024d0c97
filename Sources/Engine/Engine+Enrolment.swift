import Packet
import Proto

// Invitations: the holder of one gets a session in which to submit one key and receive the outcome.
extension Engine {
    /// Server: sends the outcome to the client that enrols with the invitation `id`. Has no effect if the
    /// session has ended: the client reconnects and asks again.
    public mutating func settle(invitation id: Int, publicKey: PublicKey, outcome: EnrolOutcome) {
        guard
            let peer = peers.first(where: { $0.configuration.kind == .invitation(id: id) }),
            let session = peer.session
        else { return }
        session.pointee.owed.enrolling.owed = EnrolledFrame(outcome, publicKey: publicKey)
        session.pointee.owed.enrolling.secret =
            outcome == .stored
            ? secret(of: publicKey, for: session, invitation: peer.configuration.publicKey) : nil
        touch(session)
    }

    /// The preshared key of the client that has just enrolled in that session; `nil` if its holder has not
    /// proven that the key is its own, or if the client's key comes from the configuration.
    private func secret(
        of client: PublicKey, for session: UnsafeMutablePointer<Session>, invitation: PublicKey
    ) -> ClientSecret? {
        guard let root = roots.current, let proof = session.pointee.owed.enrolling.proof,
            let expected = try? EnrolProof(own: staticKey, other: client, invitation: invitation),
            proof == expected
        else { return nil }
        let configured = numbers[client].map { peers[$0].configuration.presharedKey } ?? .none
        return configured == .none ? ClientSecret(root, client: client) : nil
    }

    /// Server: refuses a valid init whose key is not a peer's. The sender knows our key, so it may be told;
    /// within limits, because anyone can generate keys.
    mutating func refuseKey(_ responder: borrowing Responder, _ header: Header, from link: Link, now: Instant)
    {
        resources.drops.unknownKey += 1
        handshakeRecord.unknownKeys.note(now)
        guard strangers.admit(now: now) else { return }
        refuse(.unknownKey, responder, header, to: link)
    }

    /// Traffic of each peer's paths since it became a peer, for peers that have carried any.
    public func usage() -> [(publicKey: PublicKey, usage: PeerUsage)] {
        peers.compactMap { peer in
            if peer.configuration.isInvitation { return nil }
            var usage = peer.usage
            if let session = peer.session { usage.add(session.pointee.totalUsage()) }
            return usage.bytes.isEmpty ? nil : (peer.configuration.publicKey, usage)
        }
    }
}

extension Session {
    /// Traffic of all its paths, including removed ones.
    func totalUsage() -> PeerUsage {
        var total = usage
        for i in 0..<paths.count { total.add(paths[i].pointee) }
        return total
    }

    /// Server: receives the key that is to become a client's.
    mutating func hear(
        _ frame: EnrolFrame, host: UnsafeRawBufferPointer, _ resources: inout Resources,
        now: Instant
    ) {
        guard !isClient, case .invitation(let id) = kind,
            now - owed.enrolling.heardAt >= Enrolling.patience
        else { return }
        owed.enrolling.heardAt = now
        let host = Self.name(host) ?? ""
        resources.events.append(.enrolment(invitation: id, publicKey: frame.publicKey, host: host))
    }

    /// A peer's name for a path or host; `nil` unless it is safe in a command line and a metric's label.
    static func name(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard Label.isGood(bytes) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
