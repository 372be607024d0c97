/// How the control plane (Portunus) that rules come from is doing.
public struct PlaneStatus: Hashable, Sendable, Codable {
    /// `off`, `connecting`, `connected`, `unauthorized`, or `wrong_certificate`.
    public var state: String
    /// Its address, `HOST:PORT`; nil: none.
    public var endpoint: String?
    /// One sentence: what is wrong and what to do; nil when nothing is.
    public var problem: String?

    /// A status.
    public init(state: String = "off", endpoint: String? = nil, problem: String? = nil) {
        self.state = state
        self.endpoint = endpoint
        self.problem = problem
    }
}
