/// Where a rule leads.
public struct RuleTarget: Hashable, Sendable {
    /// An IP address or a DNS name, without brackets.
    public var host: String
    /// The port that the rule's first port leads to; the others of a range follow by their offset.
    public var port: UInt16
    /// Lower ones are tried first; equal ones in their order.
    public var priority: UInt32
    /// The header that TCP connections to it begin with; nil: none.
    public var proxy: ProxyVersion?

    /// A target.
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
