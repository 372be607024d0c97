/// The product's name and version, used by both programs and the packages.
package enum Product {
    /// The version, as in the packages.
    package static let version = "0.1.0"
}
