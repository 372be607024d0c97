/// A failure with a sentence for the user.
public struct Failure: Error, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// A failure that this sentence describes.
    public init(_ sentence: String) { description = sentence }
}
