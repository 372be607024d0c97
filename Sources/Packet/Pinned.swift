/// Keeps a large struct that has one as a field in its place: the compiler passes the struct's address
/// wherever a method is called on it.
///
/// Without it, a struct of which every field's layout is known counts as a value to be loaded, and each call
/// of a non-mutating method that is not inlined copies all of it to the stack first (Swift 6.3; kilobytes,
/// several times a packet). An existential has no layout known to its user, so a struct with one is never
/// loaded.
public struct Pinned: ~Copyable, Sendable {
    private let anchor: (any Sendable)? = nil

    /// A field that does nothing.
    public init() {}
}
