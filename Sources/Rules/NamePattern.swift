/// The server names that a rule accepts.
public enum NamePattern: Hashable, Sendable {
    /// Only this name, in lower case.
    case exact(String)
    /// Any single label before this name, which is in lower case and contains a dot.
    case wildcard(String)

    /// Parses `host.example` or `*.host.example`, at most 253 bytes; nil otherwise. `*.com` is refused: it
    /// belongs to no single owner.
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
