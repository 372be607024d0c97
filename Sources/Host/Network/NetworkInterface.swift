/// An interface as reported by the kernel.
package struct NetworkInterface: Hashable, Sendable {
    /// The interface index.
    package let index: UInt32
    /// The interface name.
    package let name: String
    /// The MTU in bytes.
    package let mtu: Int
    /// Whether it is set up (IFF_UP).
    package let isUp: Bool
    /// Whether packets can leave: it is up and has a carrier (IFF_RUNNING and IFF_LOWER_UP).
    package let hasCarrier: Bool
    /// The kernel's name for its kind, such as `veth` or `wireguard`; nil for hardware.
    package let kind: String?
    /// The link type (ARPHRD_…): 1 for Ethernet, 512 for PPP, 772 for the loopback.
    package let hardware: UInt16
    /// The hardware address, in lower case with colons; nil if there is none.
    package var mac: String?
}
