/// What is sent through a mix of links: a run of its own for each.
public enum Column: String, CaseIterable, Sendable {
    /// A TCP flow with Cubic.
    case cubic
    /// A TCP flow with BBR.
    case bbr
    /// A QUIC-like flow.
    case quic
    /// A telephone call and pings alone.
    case light
    /// A telephone call and pings beside a TCP flow with Cubic.
    case busy
    /// UDP at three quarters of what the links carry.
    case udp
}
