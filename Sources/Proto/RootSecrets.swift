import Packet

/// One generation of a server's root secret, from which the preshared keys of its clients are derived.
public struct RootSecret: Hashable, Sendable, CustomStringConvertible {
    /// The number of the generation: later ones are higher, and never 0.
    public let generation: UInt32

    private let key: Bytes32

    /// Decodes 32 bytes in standard base64; nil if they are malformed, or `generation` is 0.
    public init?(generation: UInt32, base64: String) {
        guard generation != 0, let key = Bytes32(base64: base64) else { return nil }
        self.generation = generation
        self.key = key
    }

    /// Generates a new secret in standard base64, 44 characters.
    public static func makeBase64(_ entropy: inout Entropy) -> String { Bytes32.random(&entropy).base64 }

    /// The preshared key of the client with that key: BLAKE2b (RFC 7693), keyed with the root, of its purpose
    /// and the key.
    public func presharedKey(of client: PublicKey) -> PresharedKey {
        var derived = Bytes32()
        let purpose: StaticString = "bondd client psk"
        key.withUnsafeBytes { key in
            client.storage.withUnsafeBytes { client in
                derived.withUnsafeMutableBytes { Blake2b.hash(into: $0, key: key, purpose.bytes, client) }
            }
        }
        return PresharedKey(derived)
    }

    /// The generation, never the secret.
    public var description: String { "root secret \(generation)" }
}

/// A server's root secret, and its predecessor, for clients that have not received the newest yet.
public struct RootSecrets: Equatable, Sendable {
    /// The number of valid generations.
    public static let generations = 2
    /// No secrets: no client has a preshared key by enrolment.
    public static let none = RootSecrets([])

    private let newestFirst: [RootSecret]

    /// The newest generations of these; the others are dropped.
    public init(_ secrets: [RootSecret]) {
        newestFirst = Array(secrets.sorted { $0.generation > $1.generation }.prefix(Self.generations))
    }

    /// The newest generation.
    public var current: RootSecret? { newestFirst.first }

    /// The secret of that generation; nil if it is not valid.
    public subscript(generation: UInt32) -> RootSecret? {
        newestFirst.first { $0.generation == generation }
    }
}
