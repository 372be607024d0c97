import Packet

/// An address of the tunnel interface and the length of its network's prefix.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public var address: IPAddress
    /// How many bits of it are the network's, 0...32 or 0...128.
    public var prefix: UInt8

    /// An interface's address. A `prefix` beyond the family's bits is refused where it is written or read.
    public init(address: IPAddress, prefix: UInt8) {
        self.address = address
        self.prefix = prefix
    }

    /// `10.88.0.2/24` or `fd00::2/64`.
    public var description: String { "\(address)/\(prefix)" }
}
