/// A target of a rule.
public struct RuleTarget: Hashable, Sendable {
    /// An IP address or a DNS name, without brackets.
    public var host: String
    /// The port for the rule's first port; the others of a range follow at the same offset.
    public var port: UInt16
    /// Targets with lower values are tried first, those with equal values in order.
    public var priority: UInt32
    /// The version of the PROXY header that precedes TCP connections to it; nil means no header.
    public var proxy: ProxyVersion?

    /// A target with these values.
    public init(host: String, port: UInt16, priority: UInt32 = 0, proxy: ProxyVersion? = nil) {
        self.host = host
        self.port = port
        self.priority = priority
        self.proxy = proxy
    }
}

/// The version of a PROXY protocol header (haproxy.org, proxy-protocol.txt).
public enum ProxyVersion: UInt8, Hashable, Sendable {
    /// A line of text.
    case v1 = 1
    /// Binary.
    case v2 = 2
}
