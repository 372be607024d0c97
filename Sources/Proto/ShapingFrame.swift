import Packet

/// One end's wish for how the other sends to it: at most how fast, and in which classes of service.
///
/// A client wishes for classes, and a server for the rate at which it lets the client send. The wish is repeated
/// until it is acknowledged, by a frame with its revision alone.
public struct ShapingFrame: Equatable, Sendable {
    /// Distinguishes a wish from the one before.
    public var revision: UInt8
    /// Maximum rate of inner packets in kbit/s; 0: none.
    public var rate: UInt32
    /// The classes of service, at most `ServiceClass.maximumCount`.
    public var classes: [ServiceClass]

    private static let headSize = 6
    private static let classSize = 16
    private static let rangeSize = 5

    /// A wish.
    public init(revision: UInt8, rate: UInt32 = 0, classes: [ServiceClass] = []) {
        self.revision = revision
        self.rate = rate
        self.classes = classes
    }

    /// The size of the body in bytes; nil if the frame exceeds the format's limits.
    var bodySize: Int? {
        guard Self.areGood(classes) else { return nil }
        return classes.reduce(Self.headSize) {
            $0 + Self.classSize + $1.name.utf8.count + $1.ports.count * Self.rangeSize
        }
    }

    /// Whether a frame can carry the classes, and a receiver takes them.
    public static func areGood(_ classes: [ServiceClass]) -> Bool {
        classes.count <= ServiceClass.maximumCount
            && classes.reduce(0) { $0 + $1.ports.count } <= ServiceClass.maximumRanges
            && classes.reduce(0) { $0 + Int($1.share) } <= 100
            && classes.allSatisfy { one in
                Label.isGood(one.name.utf8) && one.name.utf8.count <= ServiceClass.longestName
                    && one.priority <= ServiceClass.lowestPriority
                    && one.ports.allSatisfy { $0.low <= $0.high }
            }
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Self.headSize else { return nil }
        self.init(revision: body[0], rate: body.bigEndian(at: 1, as: UInt32.self))
        let count = Int(body[5])
        guard count <= ServiceClass.maximumCount else { return nil }
        var rest = body.dropping(Self.headSize)
        for _ in 0..<count {
            guard let one = Self.readClass(&rest) else { return nil }
            classes.append(one)
        }
        guard Self.areGood(classes) else { return nil }
    }

    private static func readClass(_ rest: inout UnsafeRawBufferPointer) -> ServiceClass? {
        guard let length = rest.first.map({ Int($0) }), length <= ServiceClass.longestName,
            rest.count >= classSize + length
        else { return nil }
        let name = String(decoding: rest.slice(1, length), as: UTF8.self)
        let fixed = rest.slice(1 + length, classSize - 1)
        var one = ServiceClass(
            name: name, priority: fixed[0], share: fixed[1],
            ceiling: fixed.bigEndian(at: 2, as: UInt32.self),
            codepoints: fixed.bigEndian(at: 6, as: UInt64.self))
        let ranges = Int(fixed[14])
        rest = rest.dropping(classSize + length)
        guard ranges <= ServiceClass.maximumRanges, rest.count >= ranges * rangeSize else { return nil }
        for _ in 0..<ranges {
            one.ports.append(
                PortRange(
                    transport: rest[0], low: rest.bigEndian(at: 1, as: UInt16.self),
                    high: rest.bigEndian(at: 3, as: UInt16.self)))
            rest = rest.dropping(rangeSize)
        }
        return one
    }

    /// Writes the body, whose size is `bodySize`.
    func write(to body: UnsafeMutableRawBufferPointer) {
        body[0] = revision
        body.storeBigEndian(rate, at: 1)
        body[5] = UInt8(truncatingIfNeeded: classes.count)
        var rest = body.dropping(Self.headSize)
        for one in classes {
            let length = one.name.utf8.count
            rest[0] = UInt8(truncatingIfNeeded: length)
            rest.dropping(1).copyBytes(from: one.name.utf8)
            let fixed = rest.dropping(1 + length)
            fixed[0] = one.priority
            fixed[1] = one.share
            fixed.storeBigEndian(one.ceiling, at: 2)
            fixed.storeBigEndian(one.codepoints, at: 6)
            fixed[14] = UInt8(truncatingIfNeeded: one.ports.count)
            rest = rest.dropping(Self.classSize + length)
            for ports in one.ports {
                rest[0] = ports.transport
                rest.storeBigEndian(ports.low, at: 1)
                rest.storeBigEndian(ports.high, at: 3)
                rest = rest.dropping(Self.rangeSize)
            }
        }
    }
}
