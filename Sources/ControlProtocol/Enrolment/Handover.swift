/// The clients and invitations in bondd-control's state, handed to bondd as a whole after each change. bondd
/// replaces the previous ones at once and keeps them in a file (0600), so that it can start without
/// bondd-control. The clients in bondd's own configuration are not included.
package struct Handover: Hashable, Sendable, Codable {
    /// Increases with every change of the state, and is shown in `status`. bondd accepts any value: the
    /// revision of a state that was created again may be smaller.
    package var revision: Int
    /// The clients that may connect.
    package var clients: [HandedClient]
    /// The invitations that can be used to enrol, and those that no longer can, whose holders should be told why.
    package var invitations: [HandedInvitation]
    /// The newest generations of the root secret for clients' preshared keys; nil if no client has one.
    package var secrets: [HandedSecret]?
    /// The digest of the configuration whose networks contain the addresses: bondd refuses a handover for
    /// another configuration than its own. Nil if not given.
    package var configuration: String?

    /// A handover.
    package init(
        revision: Int, clients: [HandedClient] = [], invitations: [HandedInvitation] = [],
        configuration: String? = nil, secrets: [HandedSecret]? = nil
    ) {
        self.revision = revision
        self.clients = clients
        self.invitations = invitations
        self.configuration = configuration
        self.secrets = secrets
    }
}

/// A client in a `Handover`.
package struct HandedClient: Hashable, Sendable, Codable {
    /// Its name, unique among the clients.
    package var name: String
    /// Its public key (X25519), 32 bytes in base64.
    package var publicKey: String
    /// Its addresses in the tunnel's networks, without prefixes.
    package var addresses: [String]
    /// The mode of packets to it until it requests another; nil means the server's.
    package var mode: String?
    /// The networks behind it that are routed to it, `NETWORK/PREFIX`; nil means none.
    package var networks: [String]?

    private enum CodingKeys: String, CodingKey {
        case name
        case publicKey = "public_key"
        case addresses, mode, networks
    }

    /// A client.
    package init(
        name: String, publicKey: String, addresses: [String], mode: String? = nil, networks: [String]? = nil
    ) {
        self.name = name
        self.publicKey = publicKey
        self.addresses = addresses
        self.mode = mode
        self.networks = networks
    }
}

/// An invitation in a `Handover`. Its keys are derived from the link's secret (see `InvitationKeys` in Proto).
package struct HandedInvitation: Hashable, Sendable, Codable {
    /// Identifies it between bondd and bondd-control.
    package var id: Int
    /// The public key used in handshakes by the holder of the link, 32 bytes in base64.
    package var publicKey: String
    /// The handshake's PSK, 32 bytes in base64. Secret.
    package var presharedKey: String

    private enum CodingKeys: String, CodingKey {
        case id
        case publicKey = "public_key"
        case presharedKey = "preshared_key"
    }

    /// An invitation.
    package init(id: Int, publicKey: String, presharedKey: String) {
        self.id = id
        self.publicKey = publicKey
        self.presharedKey = presharedKey
    }
}

/// A generation of the server's root secret in a `Handover`, from which the preshared keys of clients are derived.
package struct HandedSecret: Hashable, Sendable, Codable {
    /// The number of the generation; later ones are higher.
    package var generation: UInt32
    /// The 32 bytes in base64. Secret.
    package var secret: String

    /// A generation and its secret.
    package init(generation: UInt32, secret: String) {
        self.generation = generation
        self.secret = secret
    }
}
