import Packet

/// A handshake started by this end: one init, sent on all paths, and the response that completes it.
public struct Initiator: ~Copyable, Sendable {
    /// The ID that this end chose for the session; it is in the header of responses and cookies.
    public let sessionID: UInt32

    private let noise: NoiseInitiator
    /// The init's Noise message.
    private let message: SecretBytes
    private let suite: CipherSuite
    private let presharedKey: PresharedKey
    private let responderMac: MacKey
    private let ownMac: MacKey

    /// Starts a handshake with `responder`.
    /// - Parameters:
    ///   - sessionID: chosen by this end, not 0, and not that of another session or handshake of it.
    ///   - payload: its timestamp must be later than in all earlier inits.
    /// - Throws: `weakKey` if `responder` is a key of small order.
    public init(
        staticKey: borrowing PrivateKey, responder: PublicKey, presharedKey: PresharedKey = .none,
        suite: CipherSuite = .chacha20poly1305, sessionID: UInt32, payload: InitPayload,
        entropy: inout Entropy
    ) throws(ProtoError) {
        let plaintext = SecretBytes(count: Wire.initPayloadSize)
        payload.write(to: plaintext.bytes, sender: sessionID)
        let message = SecretBytes(count: Wire.initNoiseSize)
        noise = try NoiseInitiator(
            staticKey: staticKey, ephemeral: .generate(&entropy), responder: responder,
            prologue: suite.prologue, payload: UnsafeRawBufferPointer(plaintext.bytes), into: message.bytes)
        self.message = message
        self.suite = suite
        self.sessionID = sessionID
        self.presharedKey = presharedKey
        responderMac = .mac1(responder)
        ownMac = .mac1(staticKey.publicKey)
    }

    /// Writes the init for one path to `datagram`; the Noise message is the same for every path and every
    /// retransmission.
    /// - Parameter cookie: the cookie that the responder gave this path, if any.
    /// - Precondition: `datagram` has room for `Wire.initSize` bytes.
    /// - Returns: the number of bytes written, and the MAC1 that a cookie would refer to.
    public func writeInit(
        pathID: UInt16, cookie: Cookie?, to datagram: UnsafeMutableRawBufferPointer
    ) -> (length: Int, mac1: Mac) {
        let datagram = datagram.slice(0, Wire.initSize)
        Header(kind: .handshakeInit, sessionID: 0, pathID: pathID).write(to: datagram)
        datagram.storeBigEndian(sessionID, at: Wire.senderOffset)
        datagram.dropping(Wire.noiseOffset).copyMemory(from: UnsafeRawBufferPointer(message.bytes))
        return (Wire.initSize, responderMac.sign(datagram, cookie: cookie))
    }

    /// Reads the response. If it throws, nothing has changed, and the genuine response can still be read.
    /// - Throws: `notThisMessage`, `anotherSession`, `wrongMac`, `weakKey`, `notAuthentic`, `alteredSession`.
    public func readResponse(_ datagram: UnsafeRawBufferPointer) throws(ProtoError) -> Established {
        guard datagram.count == Wire.responseSize, let header = Header(parsing: datagram),
            header.kind == .handshakeResponse
        else { throw .notThisMessage }
        guard header.sessionID == sessionID else { throw .anotherSession }
        guard ownMac.verifies(datagram) else { throw .wrongMac }
        let payload = SecretBytes(count: Wire.responsePayloadSize)
        let symmetric = try noise.read(
            datagram.slice(Wire.noiseOffset, Wire.responseNoiseSize), presharedKey: presharedKey,
            payload: payload.bytes)
        let opened = UnsafeRawBufferPointer(payload.bytes)
        let sender = datagram.bigEndian(at: Wire.senderOffset, as: UInt32.self)
        guard opened.bigEndian(at: ResponsePayload.senderOffset, as: UInt32.self) == sender else {
            throw .alteredSession
        }
        return Established(
            keys: TransportKeys(split: symmetric.split(), suite: suite, isInitiator: true), sessionID: sender,
            payload: ResponsePayload(parsing: opened))
    }

    /// Why the responder, which has read this init, refuses it, if `datagram` says so. Only the responder can
    /// say so, because its MAC needs one of the two static keys. It is for the user; no retry depends on it.
    public func refusal(in datagram: UnsafeRawBufferPointer) -> Refusal? {
        guard datagram.count == Wire.refusalSize, let header = Header(parsing: datagram),
            header.kind == .cookie, let refusal = Refusal(rawValue: header.flags),
            header.sessionID == sessionID,
            Mac(datagram.dropping(Wire.headerSize))
                == noise.mac(refusal.label, of: datagram.slice(0, Wire.headerSize))
        else { return nil }
        return refusal
    }
}

/// An initiator's result of a completed handshake.
@frozen
public struct Established: ~Copyable, Sendable {
    /// The session's keys.
    public let keys: TransportKeys
    /// The responder's ID of the session, for the header of all datagrams to it.
    public let sessionID: UInt32
    /// The responder's payload.
    public let payload: ResponsePayload
}
