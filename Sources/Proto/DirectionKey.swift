import Packet

/// What seals or opens the datagrams of one direction of a session: a 32-byte key and a 12-byte IV.
public struct DirectionKey: ~Copyable, Sendable {
    /// Bytes of key and IV together.
    public static let materialSize = Wire.keySize + Wire.ivSize

    private let secret: SecretBytes

    /// A key ‖ IV of 44 bytes. Sessions get theirs from the handshake; this one is for tests and benchmarks.
    /// - Precondition: `material` holds at least 44 bytes.
    public init(material: UnsafeRawBufferPointer) {
        secret = SecretBytes(count: Self.materialSize)
        secret.bytes.copyMemory(from: material.slice(0, Self.materialSize))
    }

    /// Seals `plaintext` and appends its tag. `out` may begin where `plaintext` begins.
    ///
    /// A pair of path ID and packet number must be sealed only once with a key: twice would give away the plaintexts'
    /// difference and Poly1305's key.
    /// - Precondition: `out` has room for 16 bytes more than `plaintext`; `header` has 24 bytes.
    /// - Returns: the bytes written.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        header: UnsafeRawBufferPointer, pathID: UInt16, packetNumber: UInt64
    ) -> Int {
        precondition(header.count == Wire.headerSize)
        ChaChaPoly.seal(
            plaintext, into: out, additional: header,
            nonce: nonce(pathID: pathID, packetNumber: packetNumber),
            key: UnsafeRawBufferPointer(secret.bytes))
        return plaintext.count &+ Wire.tagSize
    }

    /// Verifies the tag at the end of `sealed` and writes the plaintext, 16 bytes less, to `out`, which may begin
    /// where `sealed` begins.
    /// - Precondition: `out` has room for the plaintext; `header` has 24 bytes.
    /// - Returns: false when the datagram is forged or too short; `out` then holds zeros or what it held.
    public func open(
        _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        header: UnsafeRawBufferPointer, pathID: UInt16, packetNumber: UInt64
    ) -> Bool {
        precondition(header.count == Wire.headerSize)
        return ChaChaPoly.open(
            sealed, into: out, additional: header,
            nonce: nonce(pathID: pathID, packetNumber: packetNumber),
            key: UnsafeRawBufferPointer(secret.bytes))
    }

    /// The nonce of this datagram of this direction.
    @inline(__always)
    func nonce(pathID: UInt16, packetNumber: UInt64) -> Nonce {
        let iv = UnsafeRawBufferPointer(secret.bytes)
        return Nonce(
            iv: (iv.bigEndian(at: Wire.keySize, as: UInt64.self), iv.bigEndian(at: 40, as: UInt32.self)),
            pathID: pathID, packetNumber: packetNumber)
    }
}
