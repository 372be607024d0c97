/// Traffic of a port's connections carried by the kernel, in IP packets; the kernel may merge several into one.
package struct ServiceTraffic: Hashable, Sendable {
    /// Packets from users to the target.
    package var packetsIn = 0
    /// Bytes from users to the target.
    package var bytesIn = 0
    /// Packets from the target to users.
    package var packetsOut = 0
    /// Bytes from the target to users.
    package var bytesOut = 0

    /// No traffic.
    package init() {}

    /// The sum of both.
    static func + (one: ServiceTraffic, other: ServiceTraffic) -> ServiceTraffic {
        one.combined(other, +)
    }

    /// The difference of both.
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
