/// What enrolment gives: where the control plane is, how it is known, and how this server is. Kept in a file (0600).
public struct Bundle: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The name that the control plane has for this server.
    public var clientName: String
    /// The number that the control plane has for this server; nil: older ones gave none.
    public var clientID: String?
    /// `HOST:PORT`.
    public var endpoint: String
    /// SHA-256 of the leaf certificate's DER, 64 lower-case hexadecimal digits.
    public var pin: String
    /// What proves that it is this server. Secret.
    public var token: String

    /// A bundle of these.
    public init(clientName: String, clientID: String? = nil, endpoint: String, pin: String, token: String) {
        self.clientName = clientName
        self.clientID = clientID
        self.endpoint = endpoint
        self.pin = pin
        self.token = token
    }

    /// Who it makes of this server, and where; never the token.
    public var description: String { "\(clientName) at \(endpoint)" }
    /// Never the token.
    public var customMirror: Mirror {
        Mirror(self, children: ["clientName": clientName, "endpoint": endpoint])
    }
}
