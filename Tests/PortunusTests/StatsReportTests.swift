import Rules
import Testing

@testable import Portunus

/// The wire form of a report.
struct StatsReportTests {
    /// Without pushed rules there is no report.
    @Test func nothingIsNoReport() {
        #expect(Portunus_V1_StatsReport(ServiceReport(), listing: [], time: 1) == nil)
        let named = ServiceReport(
            rules: [RuleReport(id: .named("a"))], listeners: [NameListenerReport(port: 1)])
        #expect(Portunus_V1_StatsReport(named, listing: [], time: 1) == nil)
    }

    /// Every figure is in its place.
    @Test func everyFigureIsInItsPlace() throws {
        var rule = RuleReport(id: .pushed(4))
        rule.traffic = traffic(from: 1)
        rule.ports = [PortReport(port: 8001, traffic: traffic(from: 11))]
        var target = TargetReport(target: RuleTarget(host: "h", port: 21, priority: 22))
        target.isHealthy = false
        target.consecutiveFailures = 23
        target.lastFailure = 24
        target.lastSuccess = 25
        target.bytesIn = 26
        target.bytesOut = 27
        target.accepted = 28
        rule.targets = [TargetReport(target: RuleTarget(host: "g", port: 20)), target]
        rule.failedLookups = 31
        rule.droppedFlows = 32
        (rule.failovers, rule.healthChanges) = (99, 33)
        rule.exactNames = 34
        rule.wildcardNames = 35
        rule.fallbacks = 36
        rule.limit = limit()
        var listener = NameListenerReport(port: 443)
        listener.count(after: 300)
        listener.count(after: 4_000_000)
        listener.misses = 51
        listener.parseFailures = 52
        // Its target was not given as part of a list.
        var plain = RuleReport(id: .pushed(5))
        plain.targets = [target]
        let report = ServiceReport(
            rules: [rule, plain], listeners: [listener],
            owners: [OwnerReport(owner: "alice", limit: limit()), OwnerReport(owner: "bob")])
        let message = try #require(Portunus_V1_StatsReport(report, listing: [4], time: 99))

        let expected = Portunus_V1_StatsReport.with {
            $0.sentAtUnixMs = 99
            $0.stats = [
                .with {
                    $0.ruleID = 4
                    ($0.bytesIn, $0.bytesOut, $0.datagramsIn, $0.datagramsOut) = (1, 2, 3, 4)
                    ($0.activeConnections, $0.activeFlows) = (5, 6)
                    $0.perPort = [
                        .with {
                            $0.listenPort = 8001
                            ($0.bytesIn, $0.bytesOut, $0.datagramsIn, $0.datagramsOut) = (11, 12, 13, 14)
                            $0.activeConnections = 15
                        }
                    ]
                    $0.perTarget = [
                        .with { ($0.index, $0.host, $0.port) = (0, "g", 20) },
                        .with {
                            ($0.index, $0.host, $0.port, $0.priority, $0.health) = (1, "h", 21, 22, 1)
                            ($0.consecutiveFailures, $0.lastFailureAtUnixMs, $0.lastSuccessAtUnixMs) = (
                                23, 24, 25
                            )
                            ($0.bytesIn, $0.bytesOut, $0.connectionsAccepted) = (26, 27, 28)
                        },
                    ]
                    ($0.dnsFailures, $0.flowsDroppedOverflow, $0.targetFailoversTotal) = (31, 32, 33)
                    ($0.sniRouteExactTotal, $0.sniRouteWildcardTotal, $0.sniRouteFallbackTotal) = (34, 35, 36)
                    $0.rateLimit = wireLimit()
                },
                .with { $0.ruleID = 5 },
            ]
            $0.sniListenerStats = [
                .with {
                    ($0.listenPort, $0.sniRouteMissTotal, $0.clientHelloParseFailuresTotal) = (443, 51, 52)
                    $0.clientHelloPeekBucketCounts = [0, 0] + Array(repeating: 1, count: 13)
                    ($0.clientHelloPeekSumMicros, $0.clientHelloPeekCount) = (4_000_300, 2)
                }
            ]
            $0.ownerRateLimitStats = [
                .with { ($0.ownerID, $0.stats) = ("alice", wireLimit()) },
                .with { ($0.ownerID, $0.stats) = ("bob", Portunus_V1_RateLimitStats()) },
            ]
        }
        #expect(message == expected)
        #expect(!message.stats[1].hasRateLimit)
        #expect(NameListenerReport.bounds.count == 15)
    }

    private func traffic(from first: UInt64) -> Traffic {
        var traffic = Traffic()
        (traffic.bytesIn, traffic.bytesOut, traffic.datagramsIn, traffic.datagramsOut) = (
            first, first + 1, first + 2, first + 3
        )
        (traffic.connections, traffic.flows) = (Int(first) + 4, Int(first) + 5)
        return traffic
    }

    private func limit() -> LimitReport {
        var limit = LimitReport()
        for reason in [RejectReason.connections, .flowRate, .flowRate, .ownerFlowRate] { limit.count(reason) }
        (limit.throttledIn, limit.throttledOut, limit.connections) = (41, 42, 43)
        return limit
    }

    private func wireLimit() -> Portunus_V1_RateLimitStats {
        .with {
            $0.rejectTotal = [(.connConcurrent, 1), (.udpFlowRate, 2), (.ownerUdpFlowRate, 1)].map {
                reason, total in
                .with { ($0.reason, $0.total) = (reason, total) }
            }
            ($0.throttleMicrosIn, $0.throttleMicrosOut, $0.activeConnections) = (41, 42, 43)
        }
    }
}
