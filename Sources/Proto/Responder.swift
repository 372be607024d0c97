import Packet

/// A handshake started by the peer: its opened init, and the response to it.
///
/// A `Gatekeeper` should have admitted the init first: opening it costs two Diffie-Hellman operations.
/// Afterwards, look up `initiator`, and refuse a timestamp that is not later than that initiator's last one.
public struct Responder: ~Copyable, Sendable {
    /// The initiator's static public key, which identifies it.
    public let initiator: PublicKey
    /// The initiator's ID of the session, for the header of all datagrams to it.
    public let initiatorSession: UInt32
    /// The initiator's payload.
    public let payload: InitPayload

    private let noise: NoiseResponder
    private let suite: CipherSuite

    /// Opens an init.
    /// - Throws: `notThisMessage`, `weakKey`, `notAuthentic`, `alteredSession`.
    public init(
        reading datagram: UnsafeRawBufferPointer, staticKey: borrowing PrivateKey,
        suite: CipherSuite = .chacha20poly1305
    ) throws(ProtoError) {
        guard datagram.count == Wire.initSize, let header = Header(parsing: datagram),
            header.kind == .handshakeInit
        else { throw .notThisMessage }
        let plaintext = SecretBytes(count: Wire.initPayloadSize)
        let noise = try NoiseResponder(
            reading: datagram.slice(Wire.noiseOffset, Wire.initNoiseSize), staticKey: staticKey,
            prologue: suite.prologue, payload: plaintext.bytes)
        let opened = UnsafeRawBufferPointer(plaintext.bytes)
        let sender = datagram.bigEndian(at: Wire.senderOffset, as: UInt32.self)
        guard opened.bigEndian(at: InitPayload.senderOffset, as: UInt32.self) == sender else {
            throw .alteredSession
        }
        initiator = noise.remoteStatic
        initiatorSession = sender
        payload = InitPayload(parsing: opened)
        self.noise = noise
        self.suite = suite
    }

    /// Writes a refusal to `datagram`: this end has read the init, with the suite it was made for, and does not
    /// accept it.
    /// - Precondition: `datagram` has room for `Wire.refusalSize` bytes.
    /// - Returns: the number of bytes written.
    public func writeRefusal(_ refusal: Refusal, pathID: UInt16, to datagram: UnsafeMutableRawBufferPointer)
        -> Int
    {
        let datagram = datagram.slice(0, Wire.refusalSize)
        Header(
            kind: .cookie, flags: refusal.rawValue, sessionID: initiatorSession, pathID: pathID
        ).write(to: datagram)
        let mac = noise.mac(
            refusal.label, of: UnsafeRawBufferPointer(datagram.slice(0, Wire.headerSize)))
        mac.withUnsafeBytes { datagram.dropping(Wire.headerSize).copyMemory(from: $0) }
        return Wire.refusalSize
    }

    /// Writes the response to `datagram`.
    /// - Parameters:
    ///   - sessionID: chosen by this end, not 0, and not that of another session of it.
    ///   - pathID: the path ID of the init being answered.
    ///   - initiatorCookie: the cookie that the initiator gave this end, if any.
    /// - Throws: `noRoom` below `Wire.responseSize` bytes, `weakKey`.
    public consuming func respond(
        sessionID: UInt32, presharedKey: PresharedKey = .none, payload: ResponsePayload, pathID: UInt16,
        initiatorCookie: Cookie? = nil, entropy: inout Entropy,
        to datagram: UnsafeMutableRawBufferPointer
    ) throws(ProtoError) -> HandshakeResponse {
        guard datagram.count >= Wire.responseSize else { throw .noRoom }
        let datagram = datagram.slice(0, Wire.responseSize)
        Header(kind: .handshakeResponse, sessionID: initiatorSession, pathID: pathID).write(to: datagram)
        datagram.storeBigEndian(sessionID, at: Wire.senderOffset)
        let plaintext = SecretBytes(count: Wire.responsePayloadSize)
        payload.write(to: plaintext.bytes, sender: sessionID)
        let (mac, suite) = (MacKey.mac1(initiator), suite)
        let symmetric = try noise.write(
            ephemeral: .generate(&entropy), presharedKey: presharedKey,
            payload: UnsafeRawBufferPointer(plaintext.bytes), into: datagram.dropping(Wire.noiseOffset))
        _ = mac.sign(datagram, cookie: initiatorCookie)
        return HandshakeResponse(
            length: Wire.responseSize,
            keys: TransportKeys(split: symmetric.split(), suite: suite, isInitiator: false))
    }
}

/// A responder's result of a handshake.
@frozen
public struct HandshakeResponse: ~Copyable, Sendable {
    /// The length of the response datagram in bytes.
    public let length: Int
    /// The session's keys. Use them for sending only after a datagram of the initiator has been opened with
    /// them: until then the init may have been a replay.
    public let keys: TransportKeys
}
