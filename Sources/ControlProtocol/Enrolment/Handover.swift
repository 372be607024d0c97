/// The clients and invitations that bondd-control has in its state, as it hands them to bondd: all of them, each time one
/// changes. bondd swaps them in at once and keeps them in a file (0600), so that it starts with them alone. The clients in
/// bondd's own file are not among them.
public struct Handover: Hashable, Sendable, Codable {
    /// Grows with every change of the state and shows in `status`. bondd takes any: a state that was made again may have a
    /// smaller one.
    public var revision: Int
    /// Who may connect.
    public var clients: [HandedClient]
    /// Who may enrol, or may not any more and should be told why.
    public var invitations: [HandedInvitation]
    /// The newest generations of the root secret that clients' preshared keys follow from; nil: no client has one.
    public var secrets: [HandedSecret]?
    /// The digest of the configuration whose networks the addresses are from: bondd refuses a handover for another one than it
    /// has. Nil: not said.
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
