import Foundation
import Portunus
import Rules
import Testing

/// The messages of a session, against the conformance server.
@Suite(
    .serialized,
    .enabled(if: python != nil, "CONFORMANCE names no python3 with grpcio (scripts/fetch-grpcio)"))
struct SessionTests {
    /// Hello before headers, then the replay in its order: everything reaches the keeper as sent, and pushes
    /// are answered.
    @Test func replayReachesTheKeeper() async throws {
        let bench = try await Bench()
        try await bench.server.tell(
            "replay",
            [
                "messages": [
                    [
                        "welcome": [
                            "server_version": "3.1.0", "udp_flow_idle_secs": 90,
                            "udp_max_flows_per_rule": 70000,
                        ]
                    ],
                    [
                        "traffic_quota_update": [
                            "user_id": "alice", "action": "QUOTA_SET",
                            "state": [
                                "monthly_bytes": "1000", "budget_remaining_bytes": "-5",
                                "period_started_at_unix_sec": "10", "period_ends_at_unix_sec": "20",
                                "exhausted": true,
                            ],
                        ]
                    ],
                    Bench.push("r1", Bench.rule(1)), Bench.push("r2", Bench.rule(2)),
                    ["welcome": ["udp_flow_idle_secs": 30]],
                    [
                        "owner_rate_limit_update": [
                            "owner_id": "alice", "action": "OWNER_SET",
                            "rate_limit": ["concurrent_connections": 7],
                        ]
                    ],
                ]
            ])
        bench.connect()
        try await bench.server.wait("status") { $0["request"] == "r2" && $0["outcome"] == "ACTIVATED" }
        // On a busy machine it may have to connect twice.
        func calls() -> [Recorder.Call] { Array(bench.keeper.calls.drop { $0 != .welcome(90, 65535) }) }
        try await bench.wait { _ in calls().count >= 6 }
        let expected: [Recorder.Call] = [
            .welcome(90, 65535), .state(.connected),
            .quota("alice", Quota(monthlyBytes: 1000, remaining: -5, period: 10..<20, isExhausted: true)),
            .push(Bench.carried(1)), .push(Bench.carried(2)), .ownerLimit("alice", RateLimit(connections: 7)),
        ]
        #expect(Array(calls().prefix(6)) == expected)
        let session = try await bench.server.wait("session")
        #expect(session["version"] == "3.1.0+bondd.9.9.9")
        #expect(bench.server.faults.isEmpty)
        #expect(!bench.keeper.overlapped)
    }

    /// Owners' limits and quotas are changed and removed; they get no answer.
    @Test func limitsAndQuotasChange() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        try await bench.server.tell(
            "send",
            [
                "message": Bench.push(
                    "p", Bench.rule(1, ["rate_limit": ["bandwidth_in_bps": "5", "bandwidth_in_burst": "9"]]))
            ])
        try await bench.server.tell(
            "send", ["message": Bench.push("q", Bench.rule(1, ["rate_limit": ["bandwidth_in_bps": "6"]]))])
        for action in ["OWNER_SET", "OWNER_REMOVE"] {
            try await bench.server.tell(
                "send",
                [
                    "message": [
                        "owner_rate_limit_update": [
                            "owner_id": "bob", "action": action,
                            "rate_limit": ["new_connections_per_sec": 3, "new_connections_burst": 4],
                        ]
                    ]
                ])
        }
        try await bench.server.tell(
            "send",
            [
                "message": [
                    "traffic_quota_update": [
                        "user_id": "bob", "action": "QUOTA_SET",
                        "state": [
                            "monthly_bytes": "5", "period_started_at_unix_sec": "9",
                            "period_ends_at_unix_sec": "3",
                        ],
                    ]
                ]
            ])
        try await bench.server.tell(
            "send", ["message": ["traffic_quota_update": ["user_id": "bob", "action": "QUOTA_SET"]]])
        try await bench.server.tell(
            "send", ["message": ["traffic_quota_update": ["user_id": "bob", "action": "QUOTA_REMOVE"]]])
        try await bench.wait { $0.calls.contains(.quota("bob", nil)) }
        try await bench.server.wait("status") { $0["request"] == "q" && $0["outcome"] == "ACTIVATED" }
        #expect(
            bench.keeper.pushes.map(\.limit) == [RateLimit(bytesIn: 5, burstIn: 9), RateLimit(bytesIn: 6)])
        let others = bench.keeper.calls.filter { call in
            switch call {
            case .ownerLimit, .quota: true
            default: false
            }
        }
        #expect(
            others == [
                .ownerLimit("bob", RateLimit(connectionRate: 3, connectionBurst: 4)), .ownerLimit("bob", nil),
                .quota("bob", Quota(monthlyBytes: 5, remaining: 0, period: 9..<9, isExhausted: false)),
                .quota("bob", nil),
            ])
        #expect(bench.server.faults.isEmpty)
    }

    /// A rule is stopped by its number, whatever else the message contains; a missing one is reported.
    @Test func removingIsAnswered() async throws {
        let bench = try await Bench()
        try await bench.server.tell("replay", ["messages": [Bench.push("p", Bench.rule(4))]])
        bench.connect()
        try await bench.server.wait("status") { $0["request"] == "p" }
        for request in ["r", "again"] {
            try await bench.server.tell(
                "send",
                [
                    "message": [
                        "rule_update": [
                            "request_id": request, "action": "REMOVE",
                            "rule": ["rule_id": 4, "protocol": "TCP", "listen_port": 99999],
                        ]
                    ]
                ])
        }
        let removed = try await bench.server.wait("status") { $0["request"] == "r" }
        #expect(removed["outcome"] == "REMOVED")
        let again = try await bench.server.wait("status") { $0["request"] == "again" }
        #expect(again["outcome"] == "FAILED" && again["reason"] == "unknown_rule_id")
        #expect(bench.server.faults.isEmpty)
    }

    /// Each push has one answer, even if it is late or missing. (The server detects second ones.)
    @Test func eachPushHasOneAnswer() async throws {
        let keeper = Recorder { rule in
            switch rule.id {
            case .pushed(1): .at(.milliseconds(20), .portInUse(8001))
            case .pushed(2): .at(.milliseconds(900), .permissionDenied(nil))
            case .pushed(3): .never
            default: .activated
            }
        }
        let bench = try await Bench(keeper)
        var timing = Bench.timing
        timing.acknowledgement = .milliseconds(400)
        bench.connect(timing: timing)
        try await bench.wait { $0.states.contains(.connected) }
        for number in 1...4 {
            try await bench.server.tell("send", ["message": Bench.push("p\(number)", Bench.rule(number))])
        }
        let refused = try await bench.server.wait("status") { $0["request"] == "p1" }
        #expect(refused["outcome"] == "FAILED" && refused["reason"] == "port_in_use:8001")
        for request in ["p2", "p3"] {
            let late = try await bench.server.wait("status") { $0["request"] == request }
            #expect(late["outcome"] == "ACTIVATED" && late.number("ms")! >= 350)
        }
        try await bench.server.wait("status") { $0["request"] == "p4" }
        try await Task.sleep(for: .seconds(1))
        #expect(bench.server.events("status").count == 4)
        #expect(bench.server.faults.isEmpty)
    }

    /// The same push twice, even with the same number, counts as two pushes.
    @Test func duplicatesAreAnswered() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        for request in ["a", "b"] {
            try await bench.server.tell("send", ["message": Bench.push(request, Bench.rule(1))])
            try await bench.server.wait("status") { $0["request"] == request && $0["outcome"] == "ACTIVATED" }
        }
        try await bench.server.tell("send", ["message": Bench.push("a", Bench.rule(1))])
        try await bench.wait { $0.pushes.count == 3 }
        #expect(bench.keeper.pushes == Array(repeating: Bench.carried(1), count: 3))
        #expect(bench.server.faults.isEmpty)
    }

    /// An invalid rule is refused with the contract's code, an invalid message is skipped, and the session
    /// continues.
    @Test func nonsenseIsSurvived() async throws {
        let bench = try await Bench()
        // A push before Welcome.
        try await bench.server.tell(
            "replay",
            [
                "messages": [
                    Bench.push("early", Bench.rule(1)),
                    ["welcome": ["server_version": String(repeating: "9", count: 5000)]],
                ]
            ])
        bench.connect()
        try await bench.server.wait("status") { $0["request"] == "early" && $0["outcome"] == "ACTIVATED" }
        try await bench.wait { $0.states.contains(.connected) }
        let refused: [(String, [String: Any], String)] = [
            (
                "port0", ["rule": ["rule_id": 7, "target_host": "10.77.0.2", "target_port": 1]],
                "range_invalid"
            ),
            ("high", ["rule": Bench.rule(7, ["listen_port": 65536])], "range_invalid"),
            ("end", ["rule": Bench.rule(7, ["listen_port_end": 4_294_967_295 as UInt32])], "range_invalid"),
            (
                "long", ["rule": Bench.rule(7, ["listen_port_end": 17000, "target_port_end": 9073])],
                "range_invalid"
            ),
            ("target", ["rule": Bench.rule(7, ["target_port": 70000])], "target_invalid_port:0"),
            (
                "second", ["rule": Bench.rule(7, ["targets": [["host": "a", "port": 1], ["host": "b"]]])],
                "target_invalid_port:1"
            ),
            ("host", ["rule": Bench.rule(7, ["target_host": ""])], "invalid_target_host"),
        ]
        for (request, rule, _) in refused {
            try await bench.server.tell(
                "send",
                ["message": ["rule_update": ["request_id": request, "action": "PUSH"].merging(rule) { $1 }]])
        }
        for (request, _, reason) in refused {
            let status = try await bench.server.wait("status") { $0["request"] == request }
            #expect(status["outcome"] == "FAILED" && status["reason"] == reason, "\(request)")
        }
        // An action without a name and an unknown one; an unknown member of the oneof; no message; text that is
        // not UTF-8.
        try await bench.server.tell(
            "send", ["message": ["rule_update": ["request_id": "x", "rule": Bench.rule(8)]]])
        // It is unknown which rule it is about.
        try await bench.server.tell(
            "send", ["message": ["rule_update": ["request_id": "", "action": "PUSH"]]])
        for hex in [
            "1206" + "0a0178" + "1009" + "ffff", "12051001" + "1a0108", "7a03616263", "ffffffff",
            "12050a03fffefd", "",
        ] {
            try await bench.server.tell("raw", ["hex": hex])
        }
        try await bench.server.tell("send", ["message": Bench.push("after", Bench.rule(9))])
        try await bench.server.wait("status") { $0["request"] == "after" && $0["outcome"] == "ACTIVATED" }
        #expect(bench.server.events("session").count == 1)
        #expect(bench.server.faults.isEmpty)
        #expect(bench.keeper.pushes == [Bench.carried(1), Bench.carried(9)])
    }

    /// A message beyond 4 MiB is rejected; its session ends, and another one begins.
    @Test func oversizedMessagesEndTheSession() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        let megabyte = String(repeating: "x", count: 1 << 20)
        try await bench.server.tell(
            "send", ["message": Bench.push("big", Bench.rule(1, ["owner_id": megabyte]))])
        try await bench.server.wait("status") { $0["request"] == "big" }
        let more = String(repeating: megabyte, count: 4)
        try await bench.server.tell(
            "send", ["message": Bench.push("bigger", Bench.rule(2, ["owner_id": more]))])
        try await bench.server.wait("session") { $0.number("number") == 2 }
        // No owner has such a name.
        #expect(bench.keeper.pushes.isEmpty)
    }

    /// A thousand rules at once are all answered in time.
    @Test func thousandRulesAreAnsweredInTime() async throws {
        let bench = try await Bench(Recorder { _ in .at(.milliseconds(5), nil) })
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        try await bench.server.tell("bulk", ["first": 1000, "count": 1000])
        let bulk = try await bench.server.wait("bulk", seconds: 30)
        #expect(bulk.values["outcomes"] as? [String: Int] == ["ACTIVATED": 1000])
        #expect(bulk.number("slowest_ms")! < 2000)
        #expect(bench.keeper.pushes.count == 1000)
        #expect(bench.server.faults.isEmpty)
        print(
            "1,000 rules: all answered in \(bulk.number("took_ms")!) ms, the slowest after \(bulk.number("slowest_ms")!) ms"
        )
    }

    /// Reports are sent at their interval and contain the keeper's figures; without rules there are none.
    @Test func reportsHaveWhatWasCarried() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        try await Task.sleep(for: .milliseconds(600))
        #expect(bench.server.events("stats").isEmpty)
        var rule = RuleReport(id: .pushed(5))
        rule.traffic.bytesIn = 1 << 40
        rule.traffic.connections = 3
        rule.targets = [TargetReport(target: RuleTarget(host: "a", port: 1))]
        try await bench.server.tell(
            "send", ["message": Bench.push("p", Bench.rule(5, ["targets": [["host": "a", "port": 1]]]))])
        try await bench.wait { !$0.pushes.isEmpty }
        var named = RuleReport(id: .named("file"))
        named.traffic.bytesIn = 1
        bench.keeper.setReport(ServiceReport(rules: [rule, named]))
        for _ in 0..<200 where bench.server.events("stats").count < 6 {
            try await Task.sleep(for: .milliseconds(20))
        }
        let reports = bench.server.events("stats")
        let between = reports.compactMap { $0.number("since_ms") }.sorted()
        #expect((100...400).contains(between[between.count / 2]), "\(between)")
        let report = try #require(reports.last?.values["report"] as? [String: Any])
        let stats = try #require(report["stats"] as? [[String: Any]])
        #expect(stats.count == 1)
        #expect(stats[0]["rule_id"] as? String == "5" && stats[0]["bytes_in"] as? String == "\(1 << 40)")
        #expect((stats[0]["per_target"] as? [[String: Any]])?.count == 1)
        #expect(stats[0]["active_connections"] as? Int == 3 && stats[0]["rate_limit"] == nil)
        #expect(bench.server.faults.isEmpty)
        #expect(Timing().report == .seconds(5) && Timing().grace == .seconds(30))
    }
}
