/// A nonce of ChaCha20-Poly1305 or AES-256-GCM: two numbers whose memory layout is its 12 bytes.
struct Nonce: Equatable {
    private let start: UInt64
    private let end: UInt32

    /// A transport nonce: `iv`, two big-endian numbers of 8 and 4 bytes, XOR (path ID ‖ 0⁴ ‖ packet number).
    @inline(__always)
    init(iv: (UInt64, UInt32), pathID: UInt16, packetNumber: UInt64) {
        start = (iv.0 ^ (UInt64(pathID) << 48 | packetNumber >> 32 & 0xFFFF)).bigEndian
        end = (iv.1 ^ UInt32(truncatingIfNeeded: packetNumber)).bigEndian
    }

    /// A Noise handshake nonce: four zero bytes and the counter, little-endian (revision 34, section 12.3).
    init(noise counter: UInt64) {
        start = (counter << 32).littleEndian
        end = UInt32(truncatingIfNeeded: counter >> 32).littleEndian
    }
}
