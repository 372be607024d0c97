/// The firewall mark of the datagrams that bondd itself sends: rules and the kill switch know the tunnel by it.
public enum TunnelMark {
    /// 45277, as SO_MARK sets it.
    public static let value: UInt32 = 0xB0DD
}
