import Packet

/// One generation of a server's root secret, from which the preshared keys of its clients follow.
public struct RootSecret: Hashable, Sendable, CustomStringConvertible {
    /// Its number: later ones are higher, and none is 0.
    public let generation: UInt32

    private let key: Bytes32

    /// The secret of these 32 bytes in standard base64; nil when they are anything else, or when `generation` is 0.
    public init?(generation: UInt32, base64: String) {
        guard generation != 0, let key = Bytes32(base64: base64) else { return nil }
        self.generation = generation
        self.key = key
    }

    /// A new secret in standard base64, 44 characters.
    public static func makeBase64(_ entropy: inout Entropy) -> String { Bytes32.random(&entropy).base64 }

    /// What a client with that key has beside it: BLAKE2b (RFC 7693), keyed with the root, of what it is for and the key.
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

    /// The generation; never the secret.
    public var description: String { "root secret \(generation)" }
}

/// A server's root secret, and the one before it, by which clients connect that have not been told of the newest yet.
public struct RootSecrets: Equatable, Sendable {
    /// How many generations are good.
    public static let generations = 2
    /// None: no client has a preshared key by enrolment.
    public static let none = RootSecrets([])

    private let newestFirst: [RootSecret]

    /// The newest generations of these; the rest is forgotten.
    public init(_ secrets: [RootSecret]) {
        newestFirst = Array(secrets.sorted { $0.generation > $1.generation }.prefix(Self.generations))
    }

    /// The newest.
    public var current: RootSecret? { newestFirst.first }

    /// The secret of that generation; nil when it is none that is good.
    public subscript(generation: UInt32) -> RootSecret? {
        newestFirst.first { $0.generation == generation }
    }
}
