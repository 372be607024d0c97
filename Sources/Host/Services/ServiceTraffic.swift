/// What the kernel has carried of a port's connections: IP packets, some of which it handles several at once as one.
public struct ServiceTraffic: Hashable, Sendable {
    /// Packets from users to the target.
    public var packetsIn = 0
    /// Their bytes.
    public var bytesIn = 0
    /// Packets back.
    public var packetsOut = 0
    /// Their bytes.
    public var bytesOut = 0

    /// Nothing.
    public init() {}

    /// Both together.
    static func + (one: ServiceTraffic, other: ServiceTraffic) -> ServiceTraffic {
        one.combined(other, +)
    }

    /// One without the other.
    static func - (one: ServiceTraffic, other: ServiceTraffic) -> ServiceTraffic {
        one.combined(other, -)
    }

    private func combined(_ other: ServiceTraffic, _ with: (Int, Int) -> Int) -> ServiceTraffic {
        var result = ServiceTraffic()
        result.packetsIn = with(packetsIn, other.packetsIn)
        result.bytesIn = with(bytesIn, other.bytesIn)
        result.packetsOut = with(packetsOut, other.packetsOut)
        result.bytesOut = with(bytesOut, other.bytesOut)
        return result
    }
}
