/// The mark (SO_MARK) of the packets that carry the tunnel, by which rules and filters know them: they alone may leave
/// outside a full tunnel. Its low 16 bits spell "bond" as well as hexadecimal digits can; the high 8 bits say which path's
/// they are. The bits between are left alone, as Tailscale uses them (0xFF0000).
public enum TunnelMark {
    /// The mark as far as all paths share it.
    public static let value: UInt32 = 0xB0DD
    /// The bits of `value` that count.
    public static let mask: UInt32 = 0xFFFF
    /// The bits of a path's own mark that count.
    static let pathMask: UInt32 = 0xFF00_FFFF

    /// The mark of the path whose routing table has that slot; nil when it has no table.
    public static func value(slot: UInt32?) -> UInt32 { value | (slot ?? 0) << 24 }
}
