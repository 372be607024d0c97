import CSodium
import Packet

/// BLAKE2b (RFC 7693) with an output and a key of any length, and Noise's HMAC and HKDF over it. Only handshakes use it.
enum Blake2b {
    static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    private static let blockSize = 128
    private static let hashSize = 64

    /// Hashes the concatenated parts, to as many bytes as `out` has. `out` may overlap a part.
    static func hash(
        into out: UnsafeMutableRawBufferPointer, key: UnsafeRawBufferPointer = empty,
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = empty,
        _ third: UnsafeRawBufferPointer = empty
    ) {
        Sodium.start()
        withUnsafeTemporaryAllocation(
            byteCount: crypto_generichash_statebytes(), alignment: 64
        ) { memory in
            let state = OpaquePointer(memory.octets)
            // libsodium accepts an empty key only as a null pointer.
            crypto_generichash_init(state, key.isEmpty ? nil : key.octets, key.count, out.count)
            crypto_generichash_update(state, first.octets, UInt64(first.count))
            crypto_generichash_update(state, second.octets, UInt64(second.count))
            crypto_generichash_update(state, third.octets, UInt64(third.count))
            crypto_generichash_final(state, out.octets, out.count)
            sodium_memzero(memory.octets, memory.count)
        }
    }

    /// HMAC (RFC 2104) of two parts with a key of up to 128 bytes, 64 bytes to `out`.
    static func hmac(
        into out: UnsafeMutableRawBufferPointer, key: UnsafeRawBufferPointer,
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = empty
    ) {
        let scratch = SecretBytes(count: blockSize + hashSize)
        let pad = scratch.slice(0, blockSize)
        let inner = scratch.slice(blockSize, hashSize)
        pad.copyMemory(from: key)
        for i in 0..<blockSize { pad[i] ^= 0x36 }
        hash(into: inner, UnsafeRawBufferPointer(pad), first, second)
        for i in 0..<blockSize { pad[i] ^= 0x36 ^ 0x5C }
        hash(into: out, UnsafeRawBufferPointer(pad), UnsafeRawBufferPointer(inner))
    }

    /// Noise's HKDF (section 4.3): 2 or 3 outputs of 64 bytes, as many as `outputs` has room for.
    static func hkdf(
        chainingKey: UnsafeRawBufferPointer, input: UnsafeRawBufferPointer,
        outputs: UnsafeMutableRawBufferPointer
    ) {
        let scratch = SecretBytes(count: hashSize + 1)
        let key = UnsafeRawBufferPointer(scratch.slice(0, hashSize))
        hmac(into: scratch.slice(0, hashSize), key: chainingKey, input)
        var previous = empty
        for index in 0..<outputs.count / hashSize {
            scratch.bytes[hashSize] = UInt8(index + 1)
            let counter = UnsafeRawBufferPointer(scratch.slice(hashSize, 1))
            let output = outputs.slice(index * hashSize, hashSize)
            hmac(into: output, key: key, previous, counter)
            previous = UnsafeRawBufferPointer(output)
        }
    }
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012) of network prefixes under a secret key: the owner of an address
/// cannot predict its place in a table, and so cannot choose two addresses that share one.
public struct KeyedHash: Sendable {
    private let key: Bytes32

    /// A hash under a key.
    init(key: Bytes32) { self.key = key }

    /// 64 bits derived from the first `prefix` bits of `address`, its family and `salt`.
    public func callAsFunction(_ address: IPAddress, prefix: Int, salt: UInt64) -> UInt64 {
        let network = address.masked(to: prefix)
        let words = (
            network.high, network.low, salt, UInt64(address.family.rawValue) << 8 | UInt64(prefix)
        )
        var hash: UInt64 = 0
        withUnsafeBytes(of: words) { words in
            withUnsafeMutableBytes(of: &hash) { hash in
                key.withUnsafeBytes { key in
                    _ = crypto_shorthash_siphash24(hash.octets, words.octets, UInt64(words.count), key.octets)
                }
            }
        }
        return hash
    }
}

/// A 16-byte BLAKE2b hash (RFC 7693), by which two programs compare whether they have the same text.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    /// The digest of `text`.
    public init(of text: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { out in
            text.withUnsafeBytes { Blake2b.hash(into: out, $0) }
        }
        self.bytes = bytes
    }

    /// 32 hexadecimal digits.
    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
