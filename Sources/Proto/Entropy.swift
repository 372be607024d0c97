import CSodium
import Packet

/// A deterministic random generator: the same seed yields the same bytes, which makes a whole tunnel repeatable.
///
/// ChaCha20 with fast key erasure (Bernstein, 2017): each call's first 32 bytes of keystream become the next key, so
/// that a stolen state does not reveal earlier output. Never keep two copies: they would generate the same bytes.
public struct Entropy: Sendable {
    private var key: Bytes32

    /// Creates a generator. A seed from `Sodium.systemSeed()` makes it fit for keys; a fixed one makes a test
    /// repeatable.
    /// - Precondition: `seed` holds 32 bytes.
    public init(seed: [UInt8]) {
        Sodium.start()
        key = seed.withUnsafeBytes { Bytes32($0) }
    }

    /// Fills `out` with random bytes.
    public mutating func fill(_ out: UnsafeMutableRawBufferPointer) {
        guard !out.isEmpty else { return }
        var block: (Bytes32, Bytes32) = step()
        // Up to 32 bytes are the rest of the block; more are a separate keystream, keyed by it.
        withUnsafeMutableBytes(of: &block.1) { rest in
            if out.count <= rest.count {
                out.copyMemory(from: UnsafeRawBufferPointer(rest).slice(0, out.count))
            } else {
                Self.keystream(UnsafeRawBufferPointer(rest), into: out)
            }
        }
        withUnsafeMutableBytes(of: &block) { sodium_memzero($0.octets, $0.count) }
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return UInt64(littleEndian: value)
    }

    /// 32 random bits.
    public mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next()) }

    /// A uniformly distributed number in `0..<n` (Lemire, 2019).
    /// - Precondition: `n` is not 0.
    public mutating func below(_ n: UInt64) -> UInt64 {
        precondition(n > 0)
        let floor = (0 &- n) % n
        while true {
            let product = next().multipliedFullWidth(by: n)
            if product.low >= floor { return product.high }
        }
    }

    /// Replaces the key by the first half of its keystream's first 64 bytes and returns both halves.
    private mutating func step() -> (Bytes32, Bytes32) {
        var block = (Bytes32(), Bytes32())
        withUnsafeMutableBytes(of: &block) { block in
            key.withUnsafeBytes { Self.keystream($0, into: block) }
        }
        key = block.0
        return block
    }

    private static func keystream(_ key: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) {
        // A key produces only one keystream, so its nonce may be constant.
        var nonce: UInt64 = 0
        withUnsafeBytes(of: &nonce) { nonce in
            _ = crypto_stream_chacha20(out.octets, UInt64(out.count), nonce.octets, key.octets)
        }
    }
}
