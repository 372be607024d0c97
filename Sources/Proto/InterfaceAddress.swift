import Packet

/// An address of the tunnel interface with its network's prefix length.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public var address: IPAddress
    /// The prefix length in bits, 0...32 or 0...128.
    public var prefix: UInt8

    /// An interface's address. A `prefix` longer than the family's addresses is refused when it is written or
    /// read.
    public init(address: IPAddress, prefix: UInt8) {
        self.address = address
        self.prefix = prefix
    }

    /// `10.88.0.2/24` or `fd00::2/64`.
    public var description: String { "\(address)/\(prefix)" }
}
