import Rules
import Runtime
import Settings
import Testing

@testable import Portunus

/// The reports of a session.
struct SessionReportTests {
    private let keeper = Recorder()

    private func session() async -> Session {
        let session = Session(
            keeper: keeper, log: Log(level: .error, fileDescriptor: -1), version: "1.0.0",
            patience: .seconds(1))
        await session.receive(.with { $0.welcome = Portunus_V1_Welcome() })
        return session
    }

    private func push(_ number: UInt64, limit: UInt32 = 0) -> Portunus_V1_ServerMessage {
        .with {
            $0.ruleUpdate = .with {
                $0.requestID = "\(number)"
                $0.action = .push
                $0.rule = .with {
                    ($0.ruleID, $0.listenPort, $0.targetHost, $0.targetPort) = (number, 8000, "10.77.0.2", 80)
                    $0.rateLimit = .with { $0.concurrentConnections = limit }
                }
            }
        }
    }

    private func reports(_ session: Session) async -> [Portunus_V1_StatsReport] {
        session.close()
        var reports: [Portunus_V1_StatsReport] = []
        for await message in session.outgoing where message.payload != nil {
            if case .statsReport(let report) = message.payload { reports.append(report) }
        }
        return reports
    }

    /// Rules that the session has not named mean nothing to the control plane, nor do those it has removed.
    @Test func onlyNamedRulesAreReported() async {
        let session = await session()
        keeper.setReport(ServiceReport(rules: (1...3).map { RuleReport(id: .pushed($0)) }))
        await session.report()
        for number in 1...2 as ClosedRange<UInt64> { await session.receive(push(number)) }
        await session.report()
        await session.receive(
            .with {
                $0.ruleUpdate = .with {
                    $0.action = .remove
                    $0.rule = .with { $0.ruleID = 1 }
                }
            })
        await session.report()
        #expect(await reports(session).map { $0.stats.map(\.ruleID) } == [[1, 2], [2]])
    }

    /// Figures of limits are reported for rules that have one, and once more when they are 0 again.
    @Test func limitsAreToldOfRulesThatHaveOne() async {
        let session = await session()
        for (number, limit) in [(1, 0), (2, 5)] as [(UInt64, UInt32)] {
            await session.receive(push(number, limit: limit))
        }
        for connections: UInt32 in [0, 3, 0] {
            keeper.setReport(
                ServiceReport(
                    rules: (1...2 as ClosedRange<UInt64>).map { number in
                        var report = RuleReport(id: .pushed(number))
                        report.limit.connections = connections
                        return report
                    }))
            await session.report()
        }
        let told = await reports(session)
        #expect(
            told.map { $0.stats.map(\.hasRateLimit) } == [[false, false], [false, true], [false, true]])
        #expect(told.map { $0.stats[1].rateLimit.activeConnections } == [0, 3, 0])
    }

    /// No report exceeds the control plane's limit, and each rule is in one.
    @Test func longReportsAreDivided() async throws {
        let session = await session()
        var rules: [RuleReport] = []
        for number in 0..<300 as Range<UInt64> {
            await session.receive(push(number))
            var rule = RuleReport(id: .pushed(number))
            var traffic = Traffic()
            (traffic.bytesIn, traffic.bytesOut, traffic.connections) = (.max, .max, 1000)
            (traffic.datagramsIn, traffic.datagramsOut) = (.max, .max)
            rule.ports = (0..<1024).map { PortReport(port: 40000 + $0, traffic: traffic) }
            rules.append(rule)
        }
        keeper.setReport(ServiceReport(rules: rules, listeners: [NameListenerReport(port: 443)]))
        await session.report()
        // From the second one on there are figures.
        for _ in 0..<20 { await session.sent(.with { $0.statsReport = Portunus_V1_StatsReport() }) }
        keeper.setReport(ServiceReport())
        await session.report()
        keeper.setReport(ServiceReport(rules: rules, listeners: [NameListenerReport(port: 443)]))
        await session.report()
        await session.report()
        let told = await reports(session)
        #expect(told.count > 6)
        for report in told { #expect(try report.serializedData().count < 4 << 20) }
        #expect(told.flatMap { $0.stats }.count == 900)
        #expect(told.map(\.sniListenerStats.count).reduce(0, +) == 3)
    }
}
