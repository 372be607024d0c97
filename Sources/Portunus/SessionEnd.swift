/// Why a session is over, or never began.
enum SessionEnd: Error, Equatable {
    /// The control plane ended it without an error, as it does when another session of the same client begins.
    case closed
    /// This end ended it, in order to be told once more which rules there are.
    case asked
    /// The connection or the stream broke, or never was: why.
    case broken(String)
    /// The control plane does not know the token any more: its word for it.
    case unauthorized(String)
    /// Somebody with another certificate answered.
    case wrongCertificate
}
