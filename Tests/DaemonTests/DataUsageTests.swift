import Glibc
import Host
import Packet
import Runtime
import TestSupport
import Testing

@testable import Daemon

/// Monthly data through restarts, clocks that slip, and disks that fail.
@Suite struct DataUsageTests {
    private let directory = TemporaryDirectory()
    private let november = Month("2026-11")!

    private func usage(_ month: Month? = nil, in place: String? = nil) -> DataUsage {
        DataUsage(
            UsageFile(directory: place ?? directory.path, interface: "bond0"), month: month ?? november,
            log: Log(level: .error, fileDescriptor: -1), now: .zero)
    }

    @Test func whatWasUsedOutlivesARestart() {
        var one = usage()
        #expect(one.count(1000, over: "lte", in: november, now: .zero) == 1000)
        #expect(one.count(500, over: "lte", in: november, now: .zero) == 1500)
        #expect(one.count(7, over: "fibre", in: november, now: .zero) == 7)
        one.close(now: .zero)
        var other = usage()
        #expect(other.count(0, over: "lte", in: november, now: .zero) == 1500)
        #expect(other.count(1, over: "fibre", in: november, now: .zero) == 8)
    }

    @Test func anotherMonthBeginsAtNothing() {
        var usage = usage()
        _ = usage.count(1000, over: "lte", in: november, now: .zero)
        #expect(usage.count(1, over: "lte", in: november.next, now: .zero + .seconds(60)) == 1)
        #expect(usage.month == november.next)
    }

    @Test func theOperatorsFigureCountsAndIsKeptAtOnce() {
        var one = usage()
        one.set(2_000_000_000, of: "lte")
        one.save(caps: [], now: .zero)
        one.close(now: .zero)
        var other = usage()
        #expect(other.count(5, over: "lte", in: november, now: .zero) == 2_000_000_005)
    }

    @Test func aDiskThatFailsStopsNothing() {
        var usage = usage(in: "/proc/no-such-place")
        #expect(usage.count(10, over: "lte", in: november, now: .zero) == 10)
        usage.close(now: .zero)
        #expect(usage.count(10, over: "lte", in: november, now: .zero) == 20)
    }

    @Test func aDamagedFileIsSetAside() {
        directory.file("bond0.usage", "nonsense\n")
        var usage = usage()
        #expect(usage.count(10, over: "lte", in: november, now: .zero) == 10)
        #expect(access(directory.path + "/bond0.usage.bad", F_OK) == 0)
    }

    @Test func aPathIsScarceFromNineTenthsAndSpentFromItsCap() {
        func state(_ used: UInt64, _ cap: UInt64?) -> DataState { DataState(used: used, of: cap) }
        #expect(state(.max, nil) == .free && state(0, 1000) == .free && state(899, 1000) == .free)
        #expect(state(900, 1000) == .scarce && state(999, 1000) == .scarce)
        #expect(state(1000, 1000) == .spent && state(.max, 1000) == .spent)
    }

    /// As the link's provider counts: with IP and UDP headers (RFC 791, RFC 8200, RFC 768).
    @Test func theMeterCountsHeaders() {
        let meter = Meter()
        meter.add(datagrams: 2, payload: 100, .v4)
        meter.add(datagrams: 1, payload: 10, .v6)
        #expect(meter.take() == 100 + 2 * 28 + 10 + 48)
        #expect(meter.take() == 0)
    }
}
