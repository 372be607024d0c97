/// A preshared key that a server has given a client, and the generation of the root secret that it follows from.
public struct ClientSecret: Equatable, Sendable {
    /// The generation; not 0.
    public let generation: UInt32
    /// The key.
    public let key: PresharedKey

    /// A key of a generation.
    public init(generation: UInt32, key: PresharedKey) {
        self.generation = generation
        self.key = key
    }

    /// What `root` means for a client with that key.
    public init(_ root: RootSecret, client: PublicKey) {
        self.init(generation: root.generation, key: root.presharedKey(of: client))
    }
}

/// The keys that a client keeps: the newest, and the one before it, for a server whose state was put back from a backup.
public struct ClientSecrets: Equatable, Sendable {
    /// None.
    public static let none = ClientSecrets([])

    /// The keys, the newest first; at most `RootSecrets.generations`.
    public private(set) var newestFirst: [ClientSecret]

    /// The first of these.
    public init(_ newestFirst: [ClientSecret]) {
        self.newestFirst = Array(newestFirst.prefix(RootSecrets.generations))
    }

    /// The newest.
    public var newest: ClientSecret? { newestFirst.first }

    /// The same with another one as the newest.
    public func adding(_ secret: ClientSecret) -> ClientSecrets {
        ClientSecrets([secret] + newestFirst.filter { $0.generation != secret.generation })
    }
}
