import Engine
import Packet
import Proto
import Runtime
import Settings

// Client: preshared keys that the server gives it.
extension Daemon {
    /// Uses a key that was given once it is on the disk: before, a client that is killed would come back without it.
    mutating func attendSecrets(now: Instant) {
        guard let written = givenSecrets?.takeWritten(now: now) else { return }
        plane.engine.keep(written)
        log(.info, "the server has given a new preshared key", ["generation": "\(written.generation)"])
    }
}

extension GivenSecrets {
    /// Those of a configuration; nil for a server, and for a client whose configuration has a preshared key, which counts alone.
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
