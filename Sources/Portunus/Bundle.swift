/// The result of enrolment: the control plane, its identity, and this server's credentials. Kept in a file (0600).
package struct Bundle: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The control plane's name for this server.
    package var clientName: String
    /// The control plane's number for this server; nil from older ones.
    package var clientID: String?
    /// The control plane's endpoint, `HOST:PORT`.
    package var endpoint: String
    /// SHA-256 of the leaf certificate's DER, 64 lower-case hexadecimal digits.
    package var pin: String
    /// The token that authenticates this server. Secret.
    package var token: String

    /// A bundle with these values.
    package init(clientName: String, clientID: String? = nil, endpoint: String, pin: String, token: String) {
        self.clientName = clientName
        self.clientID = clientID
        self.endpoint = endpoint
        self.pin = pin
        self.token = token
    }

    /// The name of this server and the endpoint, never the token.
    package var description: String { "\(clientName) at \(endpoint)" }
    /// Leaves out the token, so that a dump never shows it.
    package var customMirror: Mirror {
        Mirror(self, children: ["clientName": clientName, "endpoint": endpoint])
    }
}
