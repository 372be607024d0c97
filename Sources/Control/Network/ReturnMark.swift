/// The mark of connections that came in through the tunnel, in conntrack and of packets that answer them. It has the highest
/// 8 bits alone and leaves the others as they are: those in use elsewhere (Docker and Kubernetes 0xC000, Tailscale 0xFF0000,
/// wg-quick 0xCA6C, mwan3 0x3F00) are lower.
public enum ReturnMark {
    /// The bits that are bondd's.
    public static let mask: UInt32 = 0xFF00_0000

    /// The mark of a tunnel: 0xB, and 4 bits of its interface's name, which outlives the interface. The tunnels of a host are
    /// told apart by it when their names differ in one digit, or are lucky otherwise.
    public static func value(interface: String) -> UInt32 {
        0xB000_0000 | interface.utf8.reduce(0) { ($0 + UInt32($1)) & 0xF } << 24
    }
}
