/// The kernel's offloads of a TUN device.
public struct TunOffloads: OptionSet, Sendable, CustomStringConvertible {
    /// The bit pattern.
    public let rawValue: UInt8

    /// The offloads of that bit pattern.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Packets with partial checksums, in both directions; required by all others.
    public static let checksum = TunOffloads(rawValue: 1)
    /// TCP over IPv4 in packets of up to 64 KiB, including ECN (TSO4).
    public static let tcp4 = TunOffloads(rawValue: 2)
    /// The same over IPv6 (TSO6).
    public static let tcp6 = TunOffloads(rawValue: 4)
    /// UDP in packets of up to 64 KiB (USO, since Linux 6.2).
    public static let udp = TunOffloads(rawValue: 8)
    /// All offloads that bondd can use.
    public static let all: TunOffloads = [.checksum, .tcp4, .tcp6, .udp]

    /// Each offload with its word in `bondd status`.
    public static let words: [(offload: TunOffloads, word: String)] = [
        (.checksum, "csum"), (.tcp4, "tso4"), (.tcp6, "tso6"), (.udp, "uso"),
    ]

    /// The words of `bondd status`: `csum tso4 tso6 uso`, or `none`.
    public var description: String {
        isEmpty ? "none" : Self.words.filter { contains($0.offload) }.map(\.word).joined(separator: " ")
    }

    /// The offloads of `wanted` that the kernel accepts, tried one after the other: each missing one only means
    /// more and smaller packets.
    /// - Parameter takes: sets the kernel's flags; returns false if one of them is unknown, so that the
    ///   previous ones stay.
    static func probe(_ wanted: TunOffloads, takes: (_ kernelFlags: UInt32) -> Bool) -> TunOffloads {
        var found: TunOffloads = []
        for (offload, _) in words where wanted.contains(offload) {
            // The kernel also refuses the others without checksums.
            guard offload == .checksum || found.contains(.checksum) else { break }
            if takes(found.union(offload).kernelFlags) { found.insert(offload) }
        }
        return found
    }

    /// The kernel's TUN_F flags (linux/if_tun.h): CSUM 1, TSO4 2, TSO6 4, TSO_ECN 8, USO4 32, USO6 64.
    var kernelFlags: UInt32 {
        (contains(.checksum) ? 1 : 0) | (contains(.tcp4) ? 2 : 0) | (contains(.tcp6) ? 4 : 0)
            | (isDisjoint(with: [.tcp4, .tcp6]) ? 0 : 8) | (contains(.udp) ? 32 | 64 : 0)
    }
}
