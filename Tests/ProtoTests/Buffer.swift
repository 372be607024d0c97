import Packet

@testable import Proto

/// Memory for one datagram of a test, filled with 0xEE. It is never freed, so that `Buffer(bytes).read` can be passed
/// on as it stands; a whole run takes some 20 MB.
struct Buffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int = Wire.maximumDatagram) {
        bytes = .allocate(byteCount: count, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0xEE)
    }

    init(_ content: [UInt8]) {
        self.init(content.count)
        bytes.copyBytes(from: content)
    }

    /// All of it, for reading.
    var read: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }

    /// The first `count` bytes.
    func first(_ count: Int) -> [UInt8] { [UInt8](bytes.slice(0, count)) }
}

/// SplitMix64 (Steele et al., 2014): a small repeatable generator for tests, independent of the code under test.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
