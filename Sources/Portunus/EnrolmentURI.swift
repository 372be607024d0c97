import Settings

/// What whoever runs a control plane gives to enrol with: `portunus://HOST:PORT/enroll?pin=sha256:HEX&code=CODE`.
public struct EnrolmentURI: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Where the control plane is.
    public let endpoint: HostPort
    /// SHA-256 of its leaf certificate's DER, 64 lower-case hexadecimal digits.
    public let pin: String
    /// What is redeemed, once. Secret.
    public let code: String

    /// Reads one.
    /// - Throws: `notAURI`, never with the code in it.
    public init(_ text: String) throws(PortunusError) {
        throw .notAURI("it is not read yet")
    }

    /// Never the code.
    public var description: String { "an enrolment at \(endpoint)" }
    /// Never the code.
    public var customMirror: Mirror { Mirror(self, children: ["endpoint": endpoint]) }
}
