import CSodium
import Packet

/// Memory for secrets, owned by one value and zeroed when that is destroyed.
///
/// It is not locked page by page: a server has thousands of keys, libcrypto has copies of them in its contexts,
/// and locking works by page without counting, so two keys on a page would unlock each other. Instead, the
/// daemon keeps all its memory out of swap and core dumps (`MemoryProtection` in bondd).
struct SecretBytes: ~Copyable, @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    /// Allocates `count` zero bytes.
    init(count: Int) {
        Sodium.start()
        bytes = .allocate(byteCount: count, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        sodium_memzero(bytes.octets, bytes.count)
        bytes.deallocate()
    }

    func copy() -> SecretBytes {
        let other = SecretBytes(count: bytes.count)
        other.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
        return other
    }

    func slice(_ offset: Int, _ length: Int) -> UnsafeMutableRawBufferPointer { bytes.slice(offset, length) }
}
