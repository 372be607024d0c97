/// The clients and invitations that bondd-control has in its state, as it hands them to bondd: all of them, each time one
/// changes. bondd swaps them in at once and keeps them in a file (0600), so that it starts with them alone. The clients in
/// bondd's own file are not among them.
public struct Handover: Hashable, Sendable, Codable {
    /// Grows by one with every change of the state, so that both know whether they have the same. A state that was restored
    /// has a smaller one, which is taken as well.
    public var revision: Int
    /// Who may connect.
    public var clients: [HandedClient]
    /// Who may enrol, or may not any more and should be told why.
    public var invitations: [HandedInvitation]

    /// A handover.
    public init(revision: Int, clients: [HandedClient] = [], invitations: [HandedInvitation] = []) {
        self.revision = revision
        self.clients = clients
        self.invitations = invitations
    }
}
