/// A response to a program on a `ControlSocket`.
public protocol Answer: Encodable, Sendable {
    /// A failure, with one sentence that says why.
    static func failed(_ sentence: String) -> Self
}
