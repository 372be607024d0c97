import ControlProtocol
import Glibc
import Lab
import Portunus
import TestSupport
import Testing

@testable import Control

/// The health report on services: they never make a tunnel unready.
@Suite struct ServiceHealthTests {
    let echo: Echo

    init() throws { echo = try Echo() }

    @Test func anUnauthorizedPlaneIsToldAndTheTunnelIsReady() async throws {
        let (web, port) = (Wire.freePort(), Wire.freePort())
        let other = try Echo("0.0.0.0", port: port)
        defer { other.stop() }
        let bench = try ServiceBench(
            ServiceBench.rule("web", web, to: echo) + ServiceBench.rule("taken", port, to: echo))
        let service = try ControlService(
            store: bench.plane.store, plan: Samples.plan(), file: "bondd.toml", socket: bench.bondd.path,
            log: bench.plane.log, services: bench.plane)
        let pages = Pages(socket: bench.bondd.path, service: service)
        bench.plane.begin(with: ServiceBench.bundle)
        bench.plane.stateChanged(.unauthorized("token_revoked"))
        // The plane starts its rules on another thread.
        try #require(eventually { bench.plane.notices.count == 2 && Wire(web)?.exchange("hello") == "hello" })
        for path in ["/readyz", "/healthz"] {
            let page = try #require(await pages.page(at: path))
            let health = try Line.decode(Health.self, from: page.body)
            #expect(page.code == 200 && health.status == "ok" && health.reasons.isEmpty)
            let notices = try #require(health.notices)
            try #require(notices.count == 2)
            #expect(notices[0].contains("token_revoked") && notices[0].contains("bondd portunus enroll"))
            #expect(notices[1].contains("[[rule]] taken is not carried"))
        }
        let status = try #require(await pages.page(at: "/status"))
        #expect(try Line.decode(Status.self, from: status.body).notices.count == 2)
        let metrics = try #require(await pages.page(at: "/metrics"))
        let text = String(decoding: metrics.body, as: UTF8.self)
        #expect(
            text.contains("bondd_portunus_connected 0\n")
                && text.contains("bondd_rule_active{rule=\"taken\"} 0\n"))
        #expect(text.contains("bondd_rule_active{rule=\"web\"} 1\n"))
        guard case .services(let services, let plane) = service.answer(.services) else {
            Issue.record("no services")
            return
        }
        #expect(services.map(\.rule) == ["taken", "web"] && plane.state == "unauthorized")
    }

    /// The real program, killed: rules are carried again, and bondd is never told that one is gone.
    @Test func bonddControlMayBeKilled() throws {
        let directory = TemporaryDirectory()
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        let port = Wire.freePort()
        directory.file(
            "bondd.toml", Samples.text(["127.0.0.1/8"], extra: ServiceBench.rule("web", port, to: echo)))
        defer {
            bondd.stop()
            for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "lock"] {
                unlink(directory.path + "/state/" + file)
            }
        }
        for _ in 0..<5 {
            let child = try Child([
                Program.path, "run", "--config", directory.path + "/bondd.toml", "--socket", bondd.path,
                "--state-dir", directory.path + "/state", "--as-root",
            ])
            #expect(eventually { Wire(port)?.exchange("hello") == "hello" }, "\(child.errors)")
            #expect(eventually { bondd.with { !$0.carried.isEmpty } })
            child.kill()
            bondd.with { state in
                for carried in state.carried { #expect(carried.map(\.accepts) == [true]) }
                state.carried = []
            }
        }
        let child = try Child([
            Program.path, "run", "--config", directory.path + "/bondd.toml", "--socket", bondd.path,
            "--state-dir", directory.path + "/state", "--as-root",
        ])
        defer { child.kill() }
        let control = directory.path + "/control.sock"
        var answer: ControlServiceResponse?
        #expect(
            eventually {
                answer = try? ControlClient.ask(.services, path: control)
                return answer != nil
            })
        guard case .services(let services, let plane)? = answer else {
            Issue.record("no services")
            return
        }
        #expect(services.map(\.rule) == ["web"] && plane.state == "off")
        // A text that is not a URI costs nothing, and is not repeated.
        guard
            case .failed(let sentence)? = try? ControlClient.ask(.enrolService(uri: "secret"), path: control)
        else {
            Issue.record("enrolled")
            return
        }
        #expect(!sentence.contains("secret") && !child.errors.contains("secret"))
        // SIGHUP removes the rule, and its connections end on their own.
        let wire = Wire(port)
        #expect(wire?.exchange("one") == "one")
        directory.file("bondd.toml", Samples.text(["127.0.0.1/8"]))
        child.signal(SIGHUP)
        #expect(eventually { Wire(port) == nil })
        #expect(wire?.exchange("two") == "two")
    }
}
