/// The state of the control plane (Portunus) that rules come from.
public struct PlaneStatus: Hashable, Sendable, Codable {
    /// `off`, `connecting`, `connected`, `unauthorized`, or `wrong_certificate`.
    public var state: String
    /// Its address, `HOST:PORT`; nil if there is none.
    public var endpoint: String?
    /// The problem and the remedy in one sentence; nil if there is none.
    public var problem: String?

    /// The status of a control plane; by default none.
    public init(state: String = "off", endpoint: String? = nil, problem: String? = nil) {
        self.state = state
        self.endpoint = endpoint
        self.problem = problem
    }
}
