/// The clients and invitations in bondd-control's state, handed to bondd as a whole after each change. bondd
/// replaces the previous ones at once and keeps them in a file (0600), so that it can start without
/// bondd-control. The clients in bondd's own configuration are not included.
public struct Handover: Hashable, Sendable, Codable {
    /// Increases with every change of the state, and is shown in `status`. bondd accepts any value: the
    /// revision of a state that was created again may be smaller.
    public var revision: Int
    /// The clients that may connect.
    public var clients: [HandedClient]
    /// The invitations that can be used to enrol, and those that no longer can, whose holders should be told why.
    public var invitations: [HandedInvitation]
    /// The newest generations of the root secret for clients' preshared keys; nil if no client has one.
    public var secrets: [HandedSecret]?
    /// The digest of the configuration whose networks contain the addresses: bondd refuses a handover for
    /// another configuration than its own. Nil if not given.
    public var configuration: String?

    /// A handover.
    public init(
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
