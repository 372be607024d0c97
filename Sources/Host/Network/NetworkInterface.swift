/// What the kernel says of an interface.
public struct NetworkInterface: Hashable, Sendable {
    /// Its index.
    public let index: UInt32
    /// Its name.
    public let name: String
    /// Its MTU in bytes.
    public let mtu: Int
    /// Whether it is switched on (IFF_UP).
    public let isUp: Bool
    /// Whether packets can leave: it is up and its link is there (IFF_RUNNING and IFF_LOWER_UP).
    public let hasCarrier: Bool
    /// What the kernel calls its kind, as `veth` or `wireguard`; nil for hardware.
    public let kind: String?
    /// Its kind of link (ARPHRD_…): 1 for Ethernet, 512 for PPP, 772 for the loopback.
    public let hardware: UInt16
    /// Its hardware address, in lower case with colons; nil when it has none.
    public var mac: String?
}
