/// The product's name and version, used by both programs and the packages.
public enum Product {
    /// The version, as in the packages.
    public static let version = "0.1.0"
}
