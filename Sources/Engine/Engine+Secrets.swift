import Packet
import Proto

// Preshared keys that a server gives its clients.
extension Engine {
    /// Server: the preshared key for an init of that peer; `nil` if the client has one of a generation that
    /// no longer exists.
    func presharedKey(
        for peer: Int, generation: UInt32
    ) -> (key: PresharedKey, secret: SharedSecret)? {
        let configuration = peers[peer].configuration
        if configuration.presharedKey != .none { return (configuration.presharedKey, .configured) }
        // A client from before the server had a secret, or of an earlier version.
        if generation == 0 { return (.none, .none) }
        return roots[generation].map {
            ($0.presharedKey(of: configuration.publicKey), .given(generation: generation))
        }
    }

    /// Client: the preshared key for the next init.
    var ownPresharedKey: (key: PresharedKey, secret: SharedSecret) {
        let configured = peers[0].configuration.presharedKey
        if configured != .none { return (configured, .configured) }
        let known = secrets.newestFirst
        guard !known.isEmpty else { return (.none, .none) }
        let secret = known[dialer.secretInUse % known.count]
        return (secret.key, .given(generation: secret.generation))
    }

    /// Server: replaces the root secrets. Connected clients with an older generation are given the newest
    /// within their sessions, and use it from their next handshake on.
    public mutating func replaceRoots(_ new: RootSecrets, now: Instant) {
        guard role == .server, new != roots else { return }
        roots = new
        for peer in peers {
            guard let session = peer.session else { continue }
            offerSecret(in: session, now: now)
        }
    }

    /// Server: gives a client that has an older preshared key the newest one. A client without one gets none:
    /// a session without one may have been recorded, so a key sent in it would only seem to be secret.
    mutating func offerSecret(in session: UnsafeMutablePointer<Session>, now: Instant) {
        let generation = session.pointee.keys.current.pointee.secret.generation
        guard role == .server, generation != 0, let root = roots.current, root.generation != generation else {
            return
        }
        let client = peers[session.pointee.peer].configuration.publicKey
        session.pointee.owed.secrets.owe(ClientSecret(root, client: client), now: now)
        touch(session)
    }

    /// Client: a preshared key is stored on disk, and is used from the next handshake on.
    public mutating func keep(_ secret: ClientSecret) {
        guard role == .client else { return }
        secrets = secrets.adding(secret)
        dialer.secretInUse = 0
        guard let session = peers[0].session else { return }
        session.pointee.owed.secrets.kept = secret.generation
        session.pointee.owed.secrets.owesAcknowledgement = true
        touch(session)
    }

    /// Client: the server does not have the generation that was used. Perhaps its state was restored from a
    /// backup, so the other key may be valid.
    /// - Returns: whether the next key has not yet been refused in this round.
    mutating func tryOtherSecret(than refused: SharedSecret) -> Bool {
        let known = secrets.newestFirst
        guard known.count > 1, let place = known.firstIndex(where: { $0.generation == refused.generation })
        else { return false }
        dialer.secretInUse = (place + 1) % known.count
        forgetAttempt()
        return dialer.secretInUse != 0
    }
}

extension Session {
    /// Client: the server gives a newer preshared key. In a session without one it would only seem to be
    /// secret.
    mutating func take(_ secret: ClientSecret, _ resources: inout Resources, now: Instant) {
        guard isClient else { return }
        if secret.generation == owed.secrets.kept {
            owed.secrets.owesAcknowledgement = true
            return
        }
        let isEnrolling = owed.enrolling.publicKey != nil
        guard isEnrolling || keys.current.pointee.secret.generation != 0,
            owed.secrets.mayTake(now: now)
        else { return }
        resources.events.append(.secret(secret))
    }
}
