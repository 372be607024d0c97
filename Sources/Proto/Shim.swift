import Packet

/// The 4 bytes between the header of a data datagram and the inner packet, sealed together with it.
public struct Shim: Equatable, Sendable {
    /// Flag: the packet's transport checksum is partial and holds the pseudo header's sum. TCP or UDP follows
    /// the IP header directly, and the end that takes the packet out of the tunnel completes the checksum or
    /// has it completed.
    public static let partialChecksum: UInt8 = 1

    /// Flag: a test packet, to be counted and discarded at the end of the tunnel.
    public static let test: UInt8 = 2

    /// Unit of `wait`.
    public static let waitUnit = Interval.microseconds(2500)
    /// The longest `wait`.
    public static let longestWait = waitUnit * 63

    /// How far back in sequence the previous packet of the same flow is; 0 means that there is none to wait for.
    public var distance: UInt16
    /// The packet's class, a raw value of `TrafficClass`; an unknown class counts as bulk.
    public var trafficClass: UInt8
    /// `partialChecksum`, `test`; the upper six bits are `wait`.
    public var flags: UInt8

    /// How long the receiver keeps the packet before it delivers it, so that a flow that uses several paths has
    /// one constant delay: up to `longestWait`, in steps of `waitUnit`, rounded down. Receivers that do not know
    /// it deliver at once.
    @inlinable public var wait: Interval {
        get { Self.waitUnit * Int64(flags >> 2) }
        set {
            let steps = min(max(newValue.nanoseconds, 0), Self.longestWait.nanoseconds)
            flags = flags & 3 | UInt8(truncatingIfNeeded: steps / Self.waitUnit.nanoseconds) << 2
        }
    }

    /// A shim with these values.
    @inlinable public init(distance: UInt16, trafficClass: UInt8, flags: UInt8 = 0) {
        self.distance = distance
        self.trafficClass = trafficClass
        self.flags = flags
    }

    /// Reads the shim at the beginning of an opened data payload.
    /// - Precondition: `payload` has at least 4 bytes.
    @inlinable public init(parsing payload: UnsafeRawBufferPointer) {
        let word = payload.bigEndian(at: 0, as: UInt32.self)
        distance = UInt16(truncatingIfNeeded: word >> 16)
        trafficClass = UInt8(truncatingIfNeeded: word >> 8)
        flags = UInt8(truncatingIfNeeded: word)
    }

    /// Writes the shim's 4 bytes to the beginning of `payload`.
    /// - Precondition: `payload` has room for them.
    @inlinable public func write(to payload: UnsafeMutableRawBufferPointer) {
        payload.storeBigEndian(UInt32(distance) << 16 | UInt32(trafficClass) << 8 | UInt32(flags), at: 0)
    }
}
