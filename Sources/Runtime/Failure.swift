/// A failure with a sentence for the user.
package struct Failure: Error, CustomStringConvertible {
    /// The sentence.
    package let description: String

    /// A failure that this sentence describes.
    package init(_ sentence: String) { description = sentence }
}
