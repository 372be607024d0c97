/// The product, as both programs and the packages call it.
public enum Product {
    /// Its version.
    public static let version = "0.1.0"
}
