import Packet

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
