/// The identifier of a rule.
public enum RuleID: Hashable, Sendable, CustomStringConvertible {
    /// The control plane's number.
    case pushed(UInt64)
    /// The name of a `[[rule]]` of the configuration.
    case named(String)

    /// The number or the name; the name of a `[[rule]]` is never just a number.
    public var description: String {
        switch self {
        case .pushed(let number): "\(number)"
        case .named(let name): name
        }
    }
}
