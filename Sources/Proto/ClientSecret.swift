/// A preshared key that a server has given a client, and the generation of the root secret it was derived from.
public struct ClientSecret: Equatable, Sendable {
    /// The generation; not 0.
    public let generation: UInt32
    /// The key.
    public let key: PresharedKey

    /// A key and its generation.
    public init(generation: UInt32, key: PresharedKey) {
        self.generation = generation
        self.key = key
    }

    /// The preshared key that `root` yields for the client with that key.
    public init(_ root: RootSecret, client: PublicKey) {
        self.init(generation: root.generation, key: root.presharedKey(of: client))
    }
}

/// The keys that a client keeps: the newest, and its predecessor, for a server whose state was restored from a
/// backup.
public struct ClientSecrets: Equatable, Sendable {
    /// No keys.
    public static let none = ClientSecrets([])

    /// The keys, the newest first; at most `RootSecrets.generations`.
    public private(set) var newestFirst: [ClientSecret]

    /// The first `RootSecrets.generations` of these keys.
    public init(_ newestFirst: [ClientSecret]) {
        self.newestFirst = Array(newestFirst.prefix(RootSecrets.generations))
    }

    /// The newest key.
    public var newest: ClientSecret? { newestFirst.first }

    /// A copy with another key as the newest.
    public func adding(_ secret: ClientSecret) -> ClientSecrets {
        ClientSecrets([secret] + newestFirst.filter { $0.generation != secret.generation })
    }
}
