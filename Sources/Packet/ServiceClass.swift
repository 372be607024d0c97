/// A class of service (RFC 4594): which packets belong to it, and its part of what the paths carry.
///
/// Packets of no class belong to the default class, which has the rest.
public struct ServiceClass: Hashable, Sendable {
    /// Maximum number of classes, the default class not counted.
    public static let maximumCount = 8
    /// Maximum length of a name in bytes.
    public static let longestName = 15
    /// Maximum number of port ranges of all classes together.
    public static let maximumRanges = 32
    /// The last of the priorities, which begin at 0.
    public static let lowestPriority: UInt8 = 3
    /// The priority of the default class.
    public static let defaultPriority: UInt8 = 2
    /// The codepoints by which this host marks packets for itself: pool 2 of RFC 2474 section 6, for local use.
    public static let localCodepoints: UInt64 = (0..<maximumCount).reduce(0) {
        $0 | 1 << UInt64(localCodepoint($1))
    }

    /// The name, for counters.
    public var name: String
    /// Among the classes below their share, and again among the others, the lowest is served first.
    public var priority: UInt8
    /// The part of the bytes, in percent, that it gets at least while it has packets waiting; 0: an equal part
    /// of the percentage that the others leave.
    public var share: UInt8
    /// Maximum rate in kbit/s; 0: none.
    public var ceiling: UInt32
    /// The DSCPs of its packets, a bit each.
    public var codepoints: UInt64
    /// Its packets are also those with such a source or destination port.
    public var ports: [PortRange]
    /// Whether its packets are also those that this host marks with its local codepoint, which no other host
    /// is to see.
    public var isMarkedHere: Bool

    /// A class.
    public init(
        name: String, priority: UInt8 = defaultPriority, share: UInt8 = 0, ceiling: UInt32 = 0,
        codepoints: UInt64 = 0, ports: [PortRange] = [], isMarkedHere: Bool = false
    ) {
        self.name = name
        self.priority = priority
        self.share = share
        self.ceiling = ceiling
        self.codepoints = codepoints
        self.ports = ports
        self.isMarkedHere = isMarkedHere
    }

    /// The ceiling in bytes a second; 0: none.
    public var ceilingRate: UInt64 { Self.bytes(kilobits: ceiling) }

    /// The rate of that many kbit/s in bytes a second.
    public static func bytes(kilobits: UInt32) -> UInt64 { UInt64(kilobits) &* 125 }

    /// The codepoint by which this host marks packets of the class at `index`.
    public static func localCodepoint(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index * 4 + 3) & 63 }
}

/// Consecutive ports of TCP or UDP.
public struct PortRange: Hashable, Sendable {
    /// The protocol's number: 6 for TCP, 17 for UDP.
    public var transport: UInt8
    /// The first port.
    public var low: UInt16
    /// The last port.
    public var high: UInt16

    /// The ports from `low` to `high`.
    public init(transport: UInt8, low: UInt16, high: UInt16) {
        self.transport = transport
        self.low = low
        self.high = high
    }
}
