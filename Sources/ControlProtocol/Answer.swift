/// What a program on a `ControlSocket` is answered.
public protocol Answer: Encodable, Sendable {
    /// Not done: one sentence that says why.
    static func failed(_ sentence: String) -> Self

    /// The sentence of `failed`; `nil` for every other answer.
    var failure: String? { get }
}
