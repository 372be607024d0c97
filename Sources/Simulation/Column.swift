/// The traffic sent through a mix of links, each in its own run.
public enum Column: String, CaseIterable, Sendable {
    /// A TCP flow with Cubic.
    case cubic
    /// A TCP flow with BBR.
    case bbr
    /// A QUIC-like flow.
    case quic
    /// The same with BBR.
    case quicBBR = "quic-bbr"
    /// A TCP flow with a scalable congestion control and ECT(1).
    case scalable
    /// A telephone call and pings alone.
    case light
    /// A telephone call and pings next to a TCP flow with Cubic.
    case busy
    /// UDP at three quarters of the links' capacity.
    case udp
    /// UDP at a higher rate than the links ever carry, with pings next to it.
    case flood

    /// The columns for steady links.
    public static let steady: [Column] = [
        .cubic, .bbr, .quic, .quicBBR, .scalable, .light, .busy, .udp,
    ]
    /// The columns for links that vary all the time; each has pings next to it.
    public static let varying: [Column] = [.flood, .cubic, .bbr, .quic]

    /// The columns that a mix is measured with.
    public static func all(of mix: Mix) -> [Column] { mix.isVarying ? varying : steady }
}
