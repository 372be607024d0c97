import ControlProtocol
import Glibc
import Packet
import Proto
import Runtime
import Settings

/// The preshared keys that a client has got from its server, in a file (0600) that `bondd join` creates.
package struct GivenSecrets {
    /// The file's content.
    private struct Content: Codable, Equatable {
        struct Secret: Codable, Equatable {
            var generation: UInt32
            var key: String
        }

        /// The owners' public keys: another configuration of the same interface can't use the secrets.
        var server: String
        var client: String
        /// The newest first.
        var secrets: [Secret]

        init(_ secrets: ClientSecrets, server: PublicKey, client: PublicKey) {
            (self.server, self.client) = (server.base64, client.base64)
            self.secrets = secrets.newestFirst.map {
                Secret(generation: $0.generation, key: $0.key.base64)
            }
        }

        /// The keys; none if they belong to another server or client.
        func secrets(server: PublicKey, client: PublicKey) -> ClientSecrets {
            guard self.server == server.base64, self.client == client.base64 else { return .none }
            return ClientSecrets(
                secrets.compactMap { secret in
                    PresharedKey(base64: secret.key).map {
                        ClientSecret(generation: secret.generation, key: $0)
                    }
                })
        }
    }

    private var kept: Kept<Content>
    private let server: PublicKey
    private let client: PublicKey
    /// The secret that is being written.
    private var coming: ClientSecret?

    /// The keys of the tunnel with this interface, between a client and a server with these public keys.
    init(directory: String, interface: String, server: PublicKey, client: PublicKey, log: Log) {
        (self.server, self.client) = (server, client)
        kept = Kept(
            Self.path(directory: directory, interface: interface),
            damage: "the server refuses this host until it joins again",
            loss: "the server's new preshared key is not used until it can be written", log: log)
    }

    /// The path of the file.
    package static func path(directory: String, interface: String) -> String {
        "\(directory)/\(interface).secrets"
    }

    /// Writes the first key that a server has given.
    package static func write(
        _ secret: ClientSecret, server: PublicKey, client: PublicKey, directory: String,
        interface: String
    ) throws {
        let content = Content(ClientSecrets([secret]), server: server, client: client)
        try StateFile.replace(
            path(directory: directory, interface: interface), with: try Line.encode(content))
    }

    /// The keys; none if they belong to another server or client.
    package var secrets: ClientSecrets {
        kept.content?.secrets(server: server, client: client) ?? .none
    }

    /// Begins to write a key that the server has given.
    mutating func take(_ secret: ClientSecret, now: Instant) {
        guard coming != secret else { return }
        coming = secret
        kept.replace(with: Content(secrets.adding(secret), server: server, client: client), now: now)
    }

    /// When to call `takeWritten` again.
    func deadline(now: Instant) -> Instant { kept.deadline(now: now) }

    /// The key that has reached the disk since the last call.
    mutating func takeWritten(now: Instant) -> ClientSecret? {
        guard let coming else { return nil }
        kept.save(now: now)
        guard let (isKept, _) = kept.outcome, isKept else { return nil }
        self.coming = nil
        return coming
    }
}

extension GivenSecrets {
    /// The keys for a configuration; nil for a server, and for a client whose configuration has a preshared
    /// key, which overrides them.
    package init?(_ configuration: Configuration, directory: String, log: Log) {
        guard case .client(let client) = configuration.role, client.server.presharedKey == nil,
            !configuration.tunnel.privateKey.key.isEmpty
        else { return nil }
        self.init(
            directory: directory, interface: configuration.tunnel.interface,
            server: PublicKey(bytes: client.server.publicKey),
            client: PrivateKey(bytes: configuration.tunnel.privateKey.key).publicKey, log: log)
    }
}
