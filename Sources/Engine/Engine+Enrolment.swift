import Packet
import Proto

// Invitations: who holds one has a session in which to say one key, and be told what became of it.
extension Engine {
    /// Server: tells whoever enrols with the invitation of that name what became of it. Nothing happens when the session is
    /// gone: the client comes back and asks again.
    public mutating func settle(invitation name: String, publicKey: PublicKey, outcome: EnrolOutcome) {
        guard
            let peer = peers.first(where: { $0.configuration.isInvitation && $0.configuration.name == name }),
            let session = peer.session
        else { return }
        session.pointee.owed.enrolling.owed = EnrolledFrame(outcome, publicKey: publicKey)
        session.pointee.owed.enrolling.secret =
            outcome == .stored
            ? secret(of: publicKey, for: session, invitation: peer.configuration.publicKey) : nil
        touch(session)
    }

    /// The preshared key of the client that has just enrolled in that session; nil when its holder has not proven that the key is
    /// its own, or when the client's key is the configuration's.
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

    /// Server: an init is in order, but its key is no peer's. Who asks that knows our key, so it may be told; within bounds,
    /// as anybody can make keys.
    mutating func refuseKey(_ responder: borrowing Responder, _ header: Header, from link: Link, now: Instant)
    {
        resources.drops.unknownKey += 1
        handshakeRecord.unknownKeys.note(now)
        guard strangers.admit(now: now) else { return }
        refuse(.unknownKey, responder, header, to: link)
    }

    /// What each peer's paths have carried since it is one, for peers that have carried anything.
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
    /// What all its paths have carried, those that were removed included.
    func totalUsage() -> PeerUsage {
        var total = usage
        for i in 0..<paths.count { total.add(paths[i].pointee) }
        return total
    }

    /// Server: somebody says which key is to be a client's.
    mutating func hear(
        _ frame: EnrolFrame, host: UnsafeRawBufferPointer, _ resources: inout Resources,
        now: Instant
    ) {
        guard !isClient, isInvitation, now - owed.enrolling.heardAt >= Enrolling.patience else { return }
        owed.enrolling.heardAt = now
        let host = Self.name(host) ?? ""
        resources.events.append(.enrolment(invitation: peerName, publicKey: frame.publicKey, host: host))
    }

    /// A name of a path or a host as a peer gives it: what fits into a command line and a metric's label; nil when it is
    /// anything else.
    static func name(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard Label.isGood(bytes) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
