/// Why a session is over, or never began.
enum SessionEnd: Error, Equatable {
    /// The control plane ended it without an error, as when another session of the same client begins.
    case closed
    /// This end ended it, in order to learn once more which rules exist.
    case asked
    /// The connection or the stream failed, or was never established: the reason.
    case broken(String)
    /// The control plane no longer knows the token: its reason.
    case unauthorized(String)
    /// A server with another certificate answered.
    case wrongCertificate
}
