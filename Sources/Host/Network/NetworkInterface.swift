/// An interface as reported by the kernel.
public struct NetworkInterface: Hashable, Sendable {
    /// The interface index.
    public let index: UInt32
    /// The interface name.
    public let name: String
    /// The MTU in bytes.
    public let mtu: Int
    /// Whether it is set up (IFF_UP).
    public let isUp: Bool
    /// Whether packets can leave: it is up and has a carrier (IFF_RUNNING and IFF_LOWER_UP).
    public let hasCarrier: Bool
    /// The kernel's name for its kind, such as `veth` or `wireguard`; nil for hardware.
    public let kind: String?
    /// The link type (ARPHRD_…): 1 for Ethernet, 512 for PPP, 772 for the loopback.
    public let hardware: UInt16
    /// The hardware address, in lower case with colons; nil if there is none.
    public var mac: String?
}
