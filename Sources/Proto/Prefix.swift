import Packet

/// A range of addresses: those that share the first `length` bits with `address`.
public struct Prefix: Hashable, Sendable, CustomStringConvertible {
    /// Any address of the range; usually its first.
    public var address: IPAddress
    /// How many bits count, 0...32 or 0...128.
    public var length: UInt8

    /// A prefix. A `length` beyond the family's bits is refused where it is written or read.
    public init(address: IPAddress, length: UInt8) {
        self.address = address
        self.length = length
    }

    /// `10.0.0.0/8` or `2001:db8::/32`.
    public var description: String { "\(address)/\(length)" }
}
