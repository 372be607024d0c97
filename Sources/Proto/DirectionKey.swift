import Packet

/// The key that seals or opens the datagrams of one direction of a session: 32 bytes of key and 12 bytes of IV.
///
/// One thread at a time: libcrypto's context holds the state of the current packet. (Mutating functions would
/// express that, but their setter crashes the optimizer of Swift 6.3.1.)
public struct DirectionKey: ~Copyable, Sendable {
    /// Bytes of key and IV together.
    public static let materialSize = Wire.keySize + Wire.ivSize

    private let key: BulkKey
    private let iv: SecretBytes

    /// Creates a key from 44 bytes, key ‖ IV, for the library that `BulkCipher` chose. Sessions get theirs from
    /// the handshake; this initializer is for tests and benchmarks.
    /// - Precondition: `material` holds at least 44 bytes, and `suite` is available.
    public init(material: UnsafeRawBufferPointer, suite: CipherSuite = .chacha20poly1305) {
        guard let cipher = BulkCipher.of(suite),
            let key = DirectionKey(material: material, suite: suite, provider: cipher.provider)
        else { fatalError("no library here has \(suite); ask CipherSuite.isAvailable first") }
        self = key
    }

    /// The same for a specific library; nil if it does not support `suite`.
    init?(material: UnsafeRawBufferPointer, suite: CipherSuite, provider: AEADProvider) {
        guard let key = BulkKey(material.slice(0, Wire.keySize), suite: suite, provider: provider) else {
            return nil
        }
        self.key = key
        iv = SecretBytes(count: Wire.ivSize)
        iv.bytes.copyMemory(from: material.slice(Wire.keySize, Wire.ivSize))
    }

    /// Seals `plaintext` and appends its tag. `out` may begin where `plaintext` begins.
    ///
    /// A pair of path ID and packet number must be sealed only once with a key: twice would reveal the plaintexts'
    /// difference and the authentication key.
    /// - Precondition: `out` has room for 16 bytes more than `plaintext`; `header` has 24 bytes.
    /// - Returns: the number of bytes written.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        header: UnsafeRawBufferPointer, pathID: UInt16, packetNumber: UInt64
    ) -> Int {
        precondition(header.count == Wire.headerSize)
        key.seal(
            plaintext, into: out, additional: header,
            nonce: nonce(pathID: pathID, packetNumber: packetNumber))
        return plaintext.count &+ Wire.tagSize
    }

    /// Verifies the tag at the end of `sealed` and writes the plaintext, 16 bytes less, to `out`, which may begin
    /// where `sealed` begins.
    /// - Precondition: `out` has room for the plaintext; `header` has 24 bytes.
    /// - Returns: false if the datagram is forged or too short; `out` then contains zeros or its previous
    ///   contents.
    public func open(
        _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        header: UnsafeRawBufferPointer, pathID: UInt16, packetNumber: UInt64
    ) -> Bool {
        precondition(header.count == Wire.headerSize)
        return key.open(
            sealed, into: out, additional: header,
            nonce: nonce(pathID: pathID, packetNumber: packetNumber))
    }

    /// The nonce of a datagram in this direction.
    @inline(__always)
    func nonce(pathID: UInt16, packetNumber: UInt64) -> Nonce {
        let iv = UnsafeRawBufferPointer(iv.bytes)
        return Nonce(
            iv: (iv.bigEndian(at: 0, as: UInt64.self), iv.bigEndian(at: 8, as: UInt32.self)),
            pathID: pathID, packetNumber: packetNumber)
    }
}
