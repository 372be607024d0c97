import ControlProtocol
import Rules
import Testing

@testable import Control

/// The kernel's counters over all runs of bondd.
@Suite struct KernelMeterTests {
    static func counters(_ run: String, _ name: String, _ bytesIn: Int, _ bytesOut: Int, open: Int = 0)
        -> ServiceCounters
    {
        var port = ServicePortCounters(rule: name, port: 80)
        (port.bytesIn, port.bytesOut, port.connections) = (bytesIn, bytesOut, open)
        return ServiceCounters(run: run, ports: [port])
    }

    /// However often bondd is restarted and queried, each byte is counted once.
    @Test func everyByteIsCountedOnce() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix(state: seed)
            var meter = KernelMeter()
            var (total, current, run, consumed) = (0, 0, 0, UInt64(0))
            consumed += meter.take(Self.counters("0", "a", 0, 0)).values.reduce(0, +)
            for _ in 0..<100 {
                switch random.next() % 4 {
                case 0:
                    // Traffic since the last query is lost with bondd.
                    (run, current) = (run + 1, 0)
                default:
                    let more = Int(random.next() % 1000)
                    (current, total) = (current + more, total + more)
                    consumed += meter.take(Self.counters("\(run)", "a", current, 2 * current)).values.reduce(
                        0, +)
                }
            }
            let report = meter.ports(of: "a", .tcp)
            #expect(report.map(\.traffic.bytesIn) == [UInt64(total)], "seed \(seed)")
            #expect(report.map(\.traffic.bytesOut) == [UInt64(2 * total)], "seed \(seed)")
            #expect(consumed == UInt64(3 * total), "seed \(seed)")
        }
    }

    @Test func whatWasThereFirstIsNotConsumedAgain() {
        var meter = KernelMeter()
        #expect(meter.take(Self.counters("7", "a", 500, 0)).isEmpty)
        #expect(meter.take(Self.counters("7", "a", 600, 10)) == ["a": 110])
        #expect(meter.ports(of: "a", .tcp).map(\.traffic.bytesIn) == [600])
        // Another service's counters start with it.
        #expect(meter.take(Self.counters("7", "b", 5, 0)) == ["b": 5])
    }

    @Test func whatIsOpenIsWhatWasSaidLast() {
        var meter = KernelMeter()
        _ = meter.take(Self.counters("1", "a", 1, 1, open: 2))
        #expect(meter.isOpen("a") && meter.ports(of: "a", .udp).map(\.traffic.flows) == [2])
        _ = meter.take(ServiceCounters(run: "1"))
        #expect(!meter.isOpen("a"))
        meter.keep([])
        #expect(meter.ports(of: "a", .tcp).isEmpty)
    }

    @Test func nonsenseIsSkipped() {
        var meter = KernelMeter()
        _ = meter.take(Self.counters("1", "a", -5, 0))
        _ = meter.take(Self.counters("1", "a", .max, .max))
        _ = meter.take(Self.counters("2", "a", .max, .max))
        _ = meter.take(Self.counters("3", "a", .max, .max, open: .min))
        #expect(!meter.isOpen("a"))
    }
}

/// Sebastiano Vigna's splitmix64: the same numbers for a seed everywhere.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
