import Packet

/// A range of addresses: those whose first `length` bits equal those of `address`.
public struct Prefix: Hashable, Sendable, CustomStringConvertible {
    /// Any address of the range; usually its first.
    public var address: IPAddress
    /// The number of significant bits, 0...32 or 0...128.
    public var length: UInt8

    /// A prefix. A `length` beyond the family's bits is refused when it is written or read.
    public init(address: IPAddress, length: UInt8) {
        self.address = address
        self.length = length
    }

    /// `10.0.0.0/8` or `2001:db8::/32`.
    public var description: String { "\(address)/\(length)" }
}
