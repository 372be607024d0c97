/// A request to a running bondd-control: one line of JSON, such as
/// `{"do":"invite","name":"boat","ttl_s":86400,"uses":1}`.
package enum ControlServiceRequest: Hashable, Sendable, Codable {
    /// Creates an invitation for a client of that name; with several uses the clients are `NAME`, `NAME-2` and
    /// so on.
    case invite(InvitationOrder)
    /// Lists the clients and the open invitations.
    case clients
    /// Revokes a client's access, and ends its session.
    case revoke(name: String)
    /// Renames a client.
    case rename(from: String, to: String)
    /// Routes networks to a client, `NETWORK/PREFIX`, replacing its previous ones.
    case setNetworks(name: String, networks: [String])
    /// Writes a copy of the state into a new file.
    case backup(path: String)
    /// Sets where clients reach the server, `HOST:PORT`, for invitations that do not give it.
    case setEndpoints([String])
    /// Creates a new root secret for the clients' preshared keys; `isForced` permits this within a day of the
    /// last time.
    case rotateSecrets(isForced: Bool)
    /// Lists the rules that are carried, and the control plane they come from.
    case services
    /// Redeems a control plane's enrolment URI, and carries its rules from then on.
    case enrolService(uri: String)

    private enum CodingKeys: String, CodingKey {
        case action = "do"
        case name, to, path, endpoints, uri, networks, force
    }

    /// Decodes a request; unknown actions throw a `DecodingError`, unknown keys are skipped.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let action = try fields.decode(String.self, forKey: .action)
        switch action {
        case "invite": self = .invite(try InvitationOrder(from: decoder))
        case "clients": self = .clients
        case "revoke": self = .revoke(name: try fields.decode(String.self, forKey: .name))
        case "rename":
            self = .rename(
                from: try fields.decode(String.self, forKey: .name),
                to: try fields.decode(String.self, forKey: .to))
        case "set_networks":
            self = .setNetworks(
                name: try fields.decode(String.self, forKey: .name),
                networks: try fields.decode([String].self, forKey: .networks))
        case "backup": self = .backup(path: try fields.decode(String.self, forKey: .path))
        case "set_endpoints": self = .setEndpoints(try fields.decode([String].self, forKey: .endpoints))
        case "rotate_secrets":
            self = .rotateSecrets(isForced: try fields.decodeIfPresent(Bool.self, forKey: .force) ?? false)
        case "services": self = .services
        case "enrol_service": self = .enrolService(uri: try fields.decode(String.self, forKey: .uri))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .action, in: fields, debugDescription: "unknown action \(action)")
        }
    }

    /// Encodes the request as one flat object.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .invite(let order):
            try fields.encode("invite", forKey: .action)
            try order.encode(to: encoder)
        case .clients: try fields.encode("clients", forKey: .action)
        case .revoke(let name):
            try fields.encode("revoke", forKey: .action)
            try fields.encode(name, forKey: .name)
        case .rename(let from, let to):
            try fields.encode("rename", forKey: .action)
            try fields.encode(from, forKey: .name)
            try fields.encode(to, forKey: .to)
        case .setNetworks(let name, let networks):
            try fields.encode("set_networks", forKey: .action)
            try fields.encode(name, forKey: .name)
            try fields.encode(networks, forKey: .networks)
        case .backup(let path):
            try fields.encode("backup", forKey: .action)
            try fields.encode(path, forKey: .path)
        case .setEndpoints(let endpoints):
            try fields.encode("set_endpoints", forKey: .action)
            try fields.encode(endpoints, forKey: .endpoints)
        case .rotateSecrets(let isForced):
            try fields.encode("rotate_secrets", forKey: .action)
            try fields.encode(isForced, forKey: .force)
        case .services: try fields.encode("services", forKey: .action)
        case .enrolService(let uri):
            try fields.encode("enrol_service", forKey: .action)
            try fields.encode(uri, forKey: .uri)
        }
    }
}

/// The properties of an invitation to create.
package struct InvitationOrder: Hashable, Sendable, Codable {
    /// The name that the client will have.
    package var name: String
    /// Seconds until it expires.
    package var lifetime: Int
    /// How many clients may enrol with it.
    package var uses: Int
    /// The mode of packets to the client until it requests another; nil means the server's.
    package var mode: String?
    /// Where clients reach the server, `HOST:PORT`; empty means as set by `bondd init`.
    package var endpoints: [String]

    private enum CodingKeys: String, CodingKey {
        case name
        case lifetime = "ttl_s"
        case uses, mode, endpoints
    }

    /// An order.
    package init(
        name: String, lifetime: Int = 86400, uses: Int = 1, mode: String? = nil, endpoints: [String] = []
    ) {
        self.name = name
        self.lifetime = lifetime
        self.uses = uses
        self.mode = mode
        self.endpoints = endpoints
    }
}
