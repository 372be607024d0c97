/// How the connection to the control plane is doing.
public enum PlaneState: Equatable, Sendable {
    /// It is tried, or tried again: why it failed last, if it did.
    case connecting(String?)
    /// It is there.
    case connected
    /// The control plane does not know this server any more, and is not asked again: its word for it.
    case unauthorized(String)
    /// Somebody answers with another certificate than the one that was pinned; tried again.
    case wrongCertificate
}
