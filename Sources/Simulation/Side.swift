/// An end of the tunnel.
public enum Side: Int, Sendable {
    case client = 0
    case server = 1

    /// The other end.
    var opposite: Side { self == .client ? .server : .client }
}
