/// What a program on a `ControlSocket` is answered.
public protocol Answer: Encodable, Sendable {
    /// Not done: one sentence that says why.
    static func failed(_ sentence: String) -> Self
}
