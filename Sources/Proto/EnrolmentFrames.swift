import Packet

/// Announces the key of a future client, over a session with an invitation's keys. The host's name follows, as
/// the reader's `tail`.
public struct EnrolFrame: Equatable, Sendable {
    /// The public key of the future client.
    public var publicKey: PublicKey

    /// A request to enrol `publicKey`.
    public init(publicKey: PublicKey) { self.publicKey = publicKey }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.keySize else { return nil }
        publicKey = PublicKey(body.slice(0, Wire.keySize))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        publicKey.storage.withUnsafeBytes { body.copyMemory(from: $0) }
    }
}

/// The outcome of an ENROL. The raw value is the byte on the wire; unknown ones count as `unavailable`.
public enum EnrolOutcome: UInt8, Keyword, Hashable, Sendable {
    /// The server has stored the client: it is on disk, and in the handover that bondd has.
    case stored = 0
    /// The invitation has no uses left.
    case used = 1
    /// The invitation has expired.
    case expired = 2
    /// The invitation has been revoked.
    case revoked = 3
    /// The tunnel's networks have no free address.
    case full = 4
    /// bondd-control is not running, or cannot store it now.
    case unavailable = 5

    /// The word on bondd's control socket.
    public var word: String {
        switch self {
        case .stored: "stored"
        case .used: "used"
        case .expired: "expired"
        case .revoked: "revoked"
        case .full: "full"
        case .unavailable: "unavailable"
        }
    }
}

/// The answer to an ENROL.
public struct EnrolledFrame: Equatable, Sendable {
    /// The outcome of the enrolment.
    public var outcome: EnrolOutcome
    /// The key it concerns: several hosts may enrol with one invitation at the same time.
    public var publicKey: PublicKey

    /// An outcome for a key.
    public init(_ outcome: EnrolOutcome, publicKey: PublicKey) {
        self.outcome = outcome
        self.publicKey = publicKey
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.enrolledBodySize else { return nil }
        outcome = EnrolOutcome(rawValue: body[0]) ?? .unavailable
        publicKey = PublicKey(body.slice(1, Wire.keySize))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body[0] = outcome.rawValue
        publicKey.storage.withUnsafeBytes { body.dropping(1).copyMemory(from: $0) }
    }
}

/// Gives a client its preshared key of the newest generation.
public struct SecretFrame: Equatable, Sendable {
    /// The key and its generation.
    public var secret: ClientSecret

    /// A frame with that key.
    public init(_ secret: ClientSecret) { self.secret = secret }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.secretBodySize else { return nil }
        let generation = body.bigEndian(at: 0, as: UInt32.self)
        guard generation != 0 else { return nil }
        secret = ClientSecret(
            generation: generation, key: PresharedKey(Bytes32(body.slice(4, Wire.keySize))))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(secret.generation, at: 0)
        secret.key.storage.withUnsafeBytes { body.dropping(4).copyMemory(from: $0) }
    }
}
