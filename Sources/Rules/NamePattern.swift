/// The server names that a rule is for.
public enum NamePattern: Hashable, Sendable {
    /// That name alone, in lower case.
    case exact(String)
    /// Any one label before that name, which is in lower case and has a dot in it.
    case wildcard(String)

    /// Parses `host.example` or `*.host.example`, at most 253 bytes; nil when it is neither. `*.com` is none: nobody has all of it.
    public init?(_ text: String) {
        guard text.utf8.count <= HostName.maximumSize + 1 else { return nil }
        if text.hasPrefix("*.") {
            guard let name = HostName.canonical(text.dropFirst(2)), name.utf8.contains(UInt8(ascii: ".")),
                name.utf8.count + 2 <= HostName.maximumSize
            else { return nil }
            self = .wildcard(name)
        } else {
            guard let name = HostName.canonical(text[...]) else { return nil }
            self = .exact(name)
        }
    }
}
