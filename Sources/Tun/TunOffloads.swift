/// What the kernel lets a TUN device leave to it.
public struct TunOffloads: OptionSet, Sendable, CustomStringConvertible {
    /// The bit pattern.
    public let rawValue: UInt8

    /// The offloads of that bit pattern.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Packets with partial checksums, both ways; without it there are no others.
    public static let checksum = TunOffloads(rawValue: 1)
    /// TCP in packets of up to 64 KiB, over both families, ECN included.
    public static let tcp = TunOffloads(rawValue: 2)
    /// UDP in packets of up to 64 KiB (USO, since Linux 6.2).
    public static let udp = TunOffloads(rawValue: 4)

    /// As in `bondd status`: `checksum tcp udp`, or `none`.
    public var description: String {
        if isEmpty { return "none" }
        return [(Self.checksum, "checksum"), (.tcp, "tcp"), (.udp, "udp")]
            .filter { contains($0.0) }.map(\.1).joined(separator: " ")
    }

    /// The kernel's TUN_F flags (linux/if_tun.h): CSUM 1, TSO4 2, TSO6 4, TSO_ECN 8, USO4 32, USO6 64.
    var kernelFlags: UInt32 {
        (contains(.checksum) ? 1 : 0) | (contains(.tcp) ? 2 | 4 | 8 : 0) | (contains(.udp) ? 32 | 64 : 0)
    }
}
