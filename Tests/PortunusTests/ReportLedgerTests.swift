import Rules
import Testing

@testable import Portunus

/// Bytes counted by a control plane that adds up differences, and loses the last figures on a restart.
struct ReportLedgerTests {
    /// Adds up like the control plane.
    private struct Sum {
        var previous: UInt64 = 0
        var total: UInt64 = 0

        mutating func take(_ report: ServiceReport) {
            let now = report.rules.first?.traffic.bytesIn ?? 0
            total += now > previous ? now - previous : 0
            previous = now
        }
    }

    private func report(_ bytes: UInt64, connections: Int = 0) -> ServiceReport {
        var rule = RuleReport(id: .pushed(1))
        (rule.traffic.bytesIn, rule.traffic.connections) = (bytes, connections)
        rule.ports = [PortReport(port: 8000, traffic: rule.traffic)]
        return ServiceReport(rules: [rule])
    }

    @Test func eachByteIsToldOnceOverSessionsAndRestarts() {
        var ledger = ReportLedger()
        var sum = Sum()
        func tell(_ bytes: UInt64) {
            sum.take(ledger.add(report(bytes)))
            ledger.send()
        }
        ledger.begin()
        for bytes: UInt64 in [900, 1000, 1500] { tell(bytes) }
        // Bytes from before the very first session are in the second report.
        #expect(sum.total == 1500)
        for isRestarted in [false, true, true, false] {
            if isRestarted { sum.previous = 0 }
            let before = sum.total
            ledger.begin()
            let bytes = before + 100
            tell(bytes)
            #expect(sum.total == before)
            tell(bytes)
            #expect(sum.total == before + 100)
        }
    }

    @Test func whatWasNotSentIsToldLater() {
        var ledger = ReportLedger()
        var sum = Sum()
        ledger.begin()
        sum.take(ledger.add(report(0)))
        ledger.send()
        // This one is still queued when the session breaks.
        _ = ledger.add(report(700))
        ledger.begin()
        sum.take(ledger.add(report(800)))
        ledger.send()
        sum.take(ledger.add(report(800)))
        ledger.send()
        #expect(sum.total == 800)
    }

    /// Another rule with the number counts from 0; open connections are reported as they are.
    @Test func anotherRuleByTheNumberIsToldFromItsBeginning() {
        var ledger = ReportLedger()
        var sum = Sum()
        ledger.begin()
        for bytes: UInt64 in [500, 1000] {
            sum.take(ledger.add(report(bytes)))
            ledger.send()
        }
        let first = ledger.add(report(10, connections: 3))
        #expect(first.rules[0].traffic.bytesIn == 0 && first.rules[0].traffic.connections == 3)
        #expect(first.rules[0].ports[0].traffic.bytesIn == 0)
        sum.take(first)
        ledger.send()
        sum.take(ledger.add(report(30)))
        ledger.send()
        #expect(sum.total == 1030)
        // Gone, and back with more than it had.
        ledger.keep(ServiceReport())
        sum.take(ledger.add(report(50)))
        ledger.send()
        sum.take(ledger.add(report(60)))
        #expect(sum.total == 1090)
    }
}
