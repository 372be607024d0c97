/// Finds a packet's class of service: number 0 is the default class, others count from 1 in their order. The
/// first class that matches is the packet's; a mark of this host's comes before all else.
///
/// Tables without references, as they are read for each packet.
public struct Classifier: ~Copyable {
    /// One range of ports.
    private struct Range {
        var ports: PortRange
        var number: UInt8
    }

    /// Whether there is only the default class.
    public let isTrivial: Bool
    /// The class of each codepoint.
    private let numbers: UnsafeMutablePointer<UInt8>
    private let ranges: UnsafeMutablePointer<Range>
    private let rangeCount: Int
    /// Codepoints that are marks of this host, a bit each.
    private let marks: UInt64
    /// Classes of priority 0, a bit for each number.
    private let foremost: UInt16

    /// A classifier for the first `ServiceClass.maximumCount` classes and the first
    /// `ServiceClass.maximumRanges` of their ranges.
    public init(_ classes: [ServiceClass]) {
        isTrivial = classes.isEmpty
        // Most sessions have no classes, and need no tables.
        let codepoints = classes.isEmpty ? 0 : 64
        numbers = .allocate(capacity: codepoints)
        numbers.initialize(repeating: 0, count: codepoints)
        ranges = .allocate(capacity: classes.isEmpty ? 0 : ServiceClass.maximumRanges)
        var count = 0
        var marks: UInt64 = 0
        var foremost: UInt16 = 0
        for (index, one) in classes.prefix(ServiceClass.maximumCount).enumerated() {
            let number = UInt8(truncatingIfNeeded: index + 1)
            for codepoint in 0..<64 where one.codepoints >> UInt64(codepoint) & 1 == 1 {
                if numbers[codepoint] == 0 { numbers[codepoint] = number }
            }
            for ports in one.ports where count < ServiceClass.maximumRanges {
                (ranges + count).initialize(to: Range(ports: ports, number: number))
                count += 1
            }
            if one.priority == 0 { foremost |= 1 << UInt16(number) }
            if one.isMarkedHere { marks |= 1 << UInt64(ServiceClass.localCodepoint(index)) }
        }
        rangeCount = count
        self.marks = marks
        self.foremost = foremost
        for index in 0..<ServiceClass.maximumCount {
            let codepoint = ServiceClass.localCodepoint(index)
            if marks >> UInt64(codepoint) & 1 == 1 {
                numbers[Int(codepoint)] = UInt8(truncatingIfNeeded: index + 1)
            }
        }
    }

    deinit {
        numbers.deallocate()
        ranges.deallocate()
    }

    /// Whether the packet carries a mark of this host, which has to be cleared before it leaves.
    public func isMark(_ codepoint: UInt8) -> Bool { marks >> UInt64(codepoint & 63) & 1 == 1 }

    /// Whether that class has priority 0.
    public func isForemost(_ number: UInt8) -> Bool { foremost >> UInt16(number & 15) & 1 == 1 }

    /// The number of the packet's class.
    public func number(of packet: InnerPacket) -> UInt8 {
        if isTrivial { return 0 }
        let known = numbers[Int(packet.codepoint & 63)]
        guard rangeCount > 0, let ports = packet.ports, !isMark(packet.codepoint) else { return known }
        for i in 0..<rangeCount {
            let range = ranges[i]
            if known != 0 && range.number >= known { break }
            guard range.ports.transport == packet.transportProtocol else { continue }
            let span = range.ports.low...max(range.ports.low, range.ports.high)
            if span.contains(ports.source) || span.contains(ports.destination) { return range.number }
        }
        return known
    }
}
