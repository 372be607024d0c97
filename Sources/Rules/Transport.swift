/// A rule's transport protocol. The raw value is the word in the configuration, on sockets and in labels.
public enum Transport: String, Hashable, Sendable, CaseIterable {
    /// TCP.
    case tcp
    /// UDP.
    case udp
}
