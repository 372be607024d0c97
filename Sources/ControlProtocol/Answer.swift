/// A response to a program on a `ControlSocket`.
public protocol Answer: Encodable, Sendable {
    /// A failure, with one sentence that says why.
    static func failed(_ sentence: String) -> Self

    /// The sentence of `failed`; `nil` for every other answer.
    var failure: String? { get }
}
