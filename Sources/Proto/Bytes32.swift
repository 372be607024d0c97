import CSodium

/// 32 bytes stored inline. Its description is empty, because the contents are mostly secret.
struct Bytes32: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// 32 zero bytes.
    init() {}

    /// A copy of the 32 bytes of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 32, "a key has 32 bytes")
        Swift.withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
    }

    /// 32 random bytes.
    static func random(_ entropy: inout Entropy) -> Bytes32 {
        var bytes = Bytes32()
        bytes.withUnsafeMutableBytes { entropy.fill($0) }
        return bytes
    }

    /// Decodes `text` from standard base64 with padding; nil unless it yields exactly 32 bytes.
    init?(base64 text: String) {
        Sodium.start()
        var text = text
        var length = 0
        let result = text.withUTF8 { text in
            let text = UnsafeRawBufferPointer(text)
            return withUnsafeMutableBytes { bytes in
                text.withMemoryRebound(to: CChar.self) { text in
                    guard let start = text.baseAddress else { return CInt(-1) }
                    return sodium_base642bin(
                        bytes.octets, 32, start, text.count, nil, &length, nil,
                        sodium_base64_VARIANT_ORIGINAL)
                }
            }
        }
        guard result == 0, length == 32 else { return nil }
    }

    /// Standard base64 with padding, 44 characters.
    var base64: String {
        Sodium.start()
        return withUnsafeBytes { bytes in
            var text = [CChar](repeating: 0, count: 45)
            sodium_bin2base64(&text, text.count, bytes.octets, bytes.count, sodium_base64_VARIANT_ORIGINAL)
            return String(decoding: text.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    func withUnsafeBytes<Result: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> Result
    ) throws(E) -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }

    mutating func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        Swift.withUnsafeMutableBytes(of: &words, body)
    }

    /// Compares in constant time.
    static func == (a: Bytes32, b: Bytes32) -> Bool {
        a.withUnsafeBytes { a in b.withUnsafeBytes { b in sodium_memcmp(a.octets, b.octets, 32) == 0 } }
    }

    func hash(into hasher: inout Hasher) { withUnsafeBytes { hasher.combine(bytes: $0) } }

    var description: String { "32 bytes" }
    var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
