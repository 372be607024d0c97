import Packet

extension Configuration {
    /// A part of a configuration that changes only with a restart.
    package struct RestartKey: Sendable {
        /// The part, as a sentence and the documentation call it.
        package let name: String
        /// Whether two configurations have it in common.
        package let isSame: @Sendable (Configuration, Configuration) -> Bool
    }

    /// Everything that changes only with a restart; docs/configuration.md lists it.
    package static let restartKeys: [RestartKey] = [
        RestartKey(name: "role") { $0.isServer == $1.isServer },
        RestartKey(name: "interface") { $0.tunnel.interface == $1.tunnel.interface },
        RestartKey(name: "addresses") { $0.tunnel.addresses == $1.tunnel.addresses },
        RestartKey(name: "mtu") { $0.tunnel.mtu == $1.tunnel.mtu },
        RestartKey(name: "cipher") { $0.tunnel.cipher == $1.tunnel.cipher },
        RestartKey(name: "keys") { one, other in
            one.tunnel.privateKey == other.tunnel.privateKey && one.peer?.publicKey == other.peer?.publicKey
                && one.peer?.presharedKey == other.peer?.presharedKey
        },
        RestartKey(name: "offload") { $0.tunnel.offload == $1.tunnel.offload },
        RestartKey(name: "buffer_mb") { $0.tunnel.bufferMegabytes == $1.tunnel.bufferMegabytes },
        RestartKey(name: "endpoints") { $0.peer?.endpoints == $1.peer?.endpoints },
        RestartKey(name: "listening addresses") { $0.listen == $1.listen },
        RestartKey(name: "threads") { $0.tunnel.threads == $1.tunnel.threads },
    ]

    /// Whether a running bondd can replace `old` with this configuration without a restart. bondd and bondd-control share this rule.
    /// Keys are compared only if both configurations were read with keys.
    package func canReplace(_ old: Configuration) -> Bool {
        Self.restartKeys.allSatisfy { $0.isSame(self, old) }
    }

    /// The message for when `canReplace` returns false: one sentence.
    package static let needsRestart: String = {
        let names = restartKeys.map(\.name)
        return
            "the \(names.dropLast().joined(separator: ", ")) and \(names.last ?? "") change only with a restart"
    }()

    private var isServer: Bool { if case .server = role { true } else { false } }

    /// The server of a client; nil on a server.
    private var peer: Peer? { if case .client(let client) = role { client.server } else { nil } }

    /// The listening addresses of a server; nil on a client.
    private var listen: [Endpoint]? { if case .server(let server) = role { server.listen } else { nil } }
}
