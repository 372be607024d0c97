/// What a rule is known by.
public enum RuleID: Hashable, Sendable, CustomStringConvertible {
    /// The control plane's number.
    case pushed(UInt64)
    /// The name of a `[[rule]]` of the configuration.
    case named(String)

    /// The number, or the name; a `[[rule]]`'s name never is a number alone.
    public var description: String {
        switch self {
        case .pushed(let number): "\(number)"
        case .named(let name): name
        }
    }
}
