import Foundation
import Portunus
import Testing

@testable import Control

/// Services under a control plane that behaves like Portunus 3.1.0 beyond, or against, its protocol.
@Suite(
    .serialized,
    .enabled(if: python != nil, "CONFORMANCE names no python3 with grpcio (scripts/fetch-grpcio)"))
struct GenuineTests {
    /// A quota is announced when it changes and once when it is exhausted, never to a session that begins.
    @Test func quotasOutliveSessions() async throws {
        let bench = try await GenuineBench()
        try await bench.connect()
        let port = TCP.freePort
        let number = try await bench.create(port, owner: "ann")
        #expect(try await bench.state(of: number) == "active")
        try await bench.quota("ann", 20_000)
        try await bench.eventually("a quota") { bench.plane.book.withLock { $0.quotas["ann"] != nil } }
        #expect(Visit(port)?.exchange(5000) == 5000)
        try await bench.session(after: "restart")
        try await bench.grace()
        // Not exhausted: the rest is kept.
        #expect(bench.plane.book.withLock { $0.quotas["ann"]?.monthlyBytes } == 20_000)
        #expect(Visit(port)?.exchange(9000) != 9000)
        #expect(Visit(port)?.exchange(10) != 10)
        // Exhausted: it stays so.
        try await bench.session(after: "restart")
        try await bench.grace()
        #expect(Visit(port)?.exchange(10) != 10)
        // A larger one, and none at all.
        try await bench.quota("ann", 200_000)
        try await bench.eventually("more") { Visit(port)?.exchange(10) == 10 }
        try await bench.server.tell("unquota", ["owner": "ann"])
        try await bench.eventually("an end of the quota") { bench.plane.book.withLock { $0.quotas.isEmpty } }
        #expect(bench.server.faults.isEmpty)
    }

    /// The control plane forgets the last figures when it is restarted, and keeps them otherwise; bytes carried while it is away
    /// count, too.
    @Test func bytesAreCountedOnce() async throws {
        let bench = try await GenuineBench()
        try await bench.connect()
        let port = TCP.freePort
        let number = try await bench.create(port)
        let visit = try #require(Visit(port))
        #expect(visit.exchange(10_000) == 10_000)
        try await bench.eventually("20,000 bytes") { bench.total(of: number) == 20_000 }
        try await bench.session(after: "restart")
        #expect(visit.exchange(500) == 500)
        try await bench.eventually("21,000 bytes") { bench.total(of: number) == 21_000 }
        try await bench.session(after: "cut")
        #expect(visit.exchange(500) == 500)
        try await bench.eventually("22,000 bytes") { bench.total(of: number) == 22_000 }
        for isRestarted in [false, true] {
            let before = bench.total(of: number)
            try await bench.disconnect()
            #expect(visit.exchange(1000) == 1000)
            if isRestarted { try await bench.server.tell("restart") }
            try await bench.connect()
            try await bench.eventually("2,000 bytes more") { bench.total(of: number) == before + 2000 }
        }
        #expect(bench.server.events("ghost").isEmpty && bench.server.faults.isEmpty)
    }

    /// Numbers continue from the highest that is left, so that another rule may get a number that is in use here.
    @Test func numbersComeAgain() async throws {
        let bench = try await GenuineBench()
        try await bench.connect()
        let ports = (0..<3).map { _ in TCP.freePort }
        let numbers = [try await bench.create(ports[0]), try await bench.create(ports[1])]
        #expect(numbers == [0, 1])
        for port in ports.prefix(2) { #expect(Visit(port)?.exchange(5) == 5) }
        try await bench.disconnect()
        for number in numbers { try await bench.server.tell("delete", ["rule": number]) }
        try await bench.server.tell("restart")
        try await bench.connect()
        // Another port; and a port that a rule still has here but no longer there.
        #expect(try await bench.create(ports[2]) == 0)
        #expect(try await bench.state(of: 0) == "active")
        #expect(Visit(ports[2])?.exchange(5) == 5 && Visit(ports[0]) == nil)
        try await bench.server.tell("delete", ["rule": 0])
        try await bench.session(after: "restart")
        #expect(try await bench.create(ports[1]) == 0)
        #expect(try await bench.state(of: 0) == "active")
        #expect(Visit(ports[1])?.exchange(5) == 5)
        try await bench.eventually("one rule") { bench.plane.carried() == [0] }
        #expect(bench.server.faults.isEmpty)
    }

    /// A rule whose answer was lost is not named any more, unless it is reported as active.
    @Test func pendingRulesAreKept() async throws {
        let bench = try await GenuineBench()
        try await bench.connect()
        let (port, gone) = (TCP.freePort, TCP.freePort)
        let number = try await bench.create(port)
        let other = try await bench.create(gone)
        let visit = try #require(Visit(port))
        #expect(visit.exchange(5) == 5)
        try await bench.disconnect()
        try await bench.server.tell("lose", ["rule": number])
        try await bench.server.tell("delete", ["rule": other])
        try await bench.connect()
        let sessions = bench.server.events("session").count
        try await bench.eventually("another session") { bench.server.events("session").count > sessions }
        try await bench.eventually("an end of what is gone") { bench.plane.carried() == [UInt64(number)] }
        #expect(try await bench.state(of: number) == "active")
        #expect(visit.exchange(5) == 5 && Visit(port)?.exchange(5) == 5)
        #expect(Visit(gone) == nil)
        // The control plane is asked once.
        try await bench.grace()
        #expect(bench.server.events("session").count == sessions + 1)
        #expect(bench.server.events("unsolicited").count == 2 && bench.server.faults.isEmpty)
    }

    /// A report about a removed rule would make it reappear there.
    @Test func removedRulesAreNotReported() async throws {
        let bench = try await GenuineBench()
        try await bench.connect()
        let (port, stays) = (TCP.freePort, TCP.freePort)
        let number = try await bench.create(port)
        let other = try await bench.create(stays)
        let visit = try #require(Visit(port))
        #expect(visit.exchange(5) == 5)
        try await bench.eventually("a report") { bench.total(of: number) == 10 }
        try await bench.server.tell("delete", ["rule": number])
        try await bench.eventually("the end of the rule") { Visit(port) == nil }
        // It drains, and the other rule is reported.
        #expect(visit.exchange(5) == 5)
        #expect(Visit(stays)?.exchange(5) == 5)
        try await bench.eventually("a report") { bench.total(of: other) == 10 }
        try await Task.sleep(for: .milliseconds(500))
        #expect(bench.server.events("ghost").isEmpty && bench.server.faults.isEmpty)
    }

    /// A busy database is temporary; an invalid token is not, and its session ends silently.
    @Test func rejectionsPassOrNot() async throws {
        let bench = try await GenuineBench()
        for message in ["token_verify_error", "missing_identity"] {
            try await bench.server.tell("reject", ["message": message, "count": 2])
        }
        try await bench.connect()
        try await bench.eventually("a connection") { bench.plane.status().1.state == "connected" }
        #expect(bench.server.events("rejected").count == 4)
        try await bench.server.tell("tokens", ["tokens": [:] as [String: String]])
        try await bench.eventually("an end") { bench.plane.status().1.state == "unauthorized" }
        #expect(bench.plane.status().1.problem?.contains("token_not_found") == true)

        // A reload tries again, for an operator who has fixed it.
        let link = PlaneLink(services: bench.plane, directory: bench.directory.path, log: bench.plane.log)
        defer { link.stop() }
        let file = bench.directory.path + "/bundle.json"
        try bench.bundle.write(to: file)
        link.start(bundleFile: file)
        try await bench.eventually("another rejection") {
            bench.plane.status().1.state == "unauthorized" && bench.server.events("rejected").count == 6
        }
        try await bench.server.tell("tokens", ["tokens": ["token": "client-1"]])
        try await Task.sleep(for: .milliseconds(200))
        #expect(bench.plane.status().1.state == "unauthorized")
        link.start(bundleFile: file)
        try await bench.eventually("a connection") { bench.plane.status().1.state == "connected" }
    }
}
