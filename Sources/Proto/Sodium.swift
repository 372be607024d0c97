import CSodium

/// Initialization of libsodium. Without `sodium_init` everything still works, but at half the speed and without
/// thread safety; so every type here that uses the library calls this in its `init`.
public enum Sodium {
    private static let started: Bool = {
        guard sodium_init() >= 0 else {
            fatalError("libsodium could not be initialised; is its RNG device there?")
        }
        return true
    }()

    /// Initializes libsodium once; later calls take a nanosecond. The process ends if the library cannot start,
    /// because nothing could be sealed without it.
    public static func start() { _ = started }

    /// 32 bytes from the operating system's generator, as the seed of an `Entropy`.
    public static func systemSeed() -> [UInt8] {
        start()
        return [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            randombytes_buf(UnsafeMutableRawBufferPointer(buffer).octets, 32)
            count = 32
        }
    }
}
