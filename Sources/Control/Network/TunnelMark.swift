/// The mark (SO_MARK) of the packets that carry the tunnel, by which rules and filters know them: they alone may leave
/// beside a full tunnel. It spells "bond" as well as hexadecimal digits can.
public enum TunnelMark {
    /// The mark.
    public static let value: UInt32 = 0xB0DD
}
