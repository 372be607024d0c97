/// The traffic sent through a mix of links, each in its own run.
public enum Column: String, CaseIterable, Sendable {
    /// A TCP flow with Cubic.
    case cubic
    /// A TCP flow with BBR.
    case bbr
    /// A QUIC-like flow.
    case quic
    /// A telephone call and pings alone.
    case light
    /// A telephone call and pings next to a TCP flow with Cubic.
    case busy
    /// UDP at three quarters of the links' capacity.
    case udp
}
