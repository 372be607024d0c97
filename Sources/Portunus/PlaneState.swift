/// The state of the connection to the control plane.
public enum PlaneState: Equatable, Sendable {
    /// Connecting, with the reason for the last failure, if any.
    case connecting(String?)
    /// Connected.
    case connected
    /// The control plane no longer knows this server, and is not contacted again: its reason.
    case unauthorized(String)
    /// A server with another certificate than the pinned one answers; connecting is retried.
    case wrongCertificate
}
