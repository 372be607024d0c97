import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A server under the thread sanitizer: `BONDD_TSAN` names a bondd built with it (see the Makefile).
    @Suite(
        "Thread sanitizer", .lane(.measuring),
        .enabled(if: getenv("BONDD_TSAN") != nil, "BONDD_TSAN names no bondd built with --sanitize=thread"))
    struct Sanitizer {
        @Test(arguments: [1, 2, 8]) func findsNoRace(threads: Int) throws {
            let program = try Program(named: "BONDD_TSAN")
            try Crowd.with(5, threads: threads, serverProgram: program) { crowd in
                let (server, clients) = (crowd.tunnel.server, crowd.clients)
                let bulk = try crowd.flows(seconds: 2)
                #expect(bulk.allSatisfy { $0 > 0.1 }, "\(bulk)")
                #expect(try crowd.pingAll(30) == [])
                // During traffic: status, modes, clients that come and go, and one that is killed.
                let runs = try clients.map {
                    try PingRun.start(from: $0.namespace, to: Tunnel.serverAddress, count: 300)
                }
                let all = crowd.tunnel.serverFile.clients
                for round in 0..<3 {
                    try server.set("mode", round % 2 == 0 ? "redundant" : "stripe")
                    try crowd.tunnel.changeServer { $0.clients = Array(all.dropLast()) }
                    server.signal(SIGHUP)
                    try server.wait(for: "one client less", seconds: 2) { $0.session("c4") == nil }
                    try crowd.tunnel.changeServer { $0.clients = all }
                    server.signal(SIGHUP)
                    clients[3].bondd.kill()
                    try clients[3].bondd.start()
                    try clients[3].waitUntilWhole()
                }
                #expect(runs[..<3].allSatisfy { $0.finish().lost == 0 })
                try server.wait(for: "all clients", seconds: 5) { $0.sessions.count == 5 && $0.isWhole }
                #expect(try crowd.pingAll(30) == [])
                // A race makes the exit status 66.
                #expect(server.stop(within: 5) == .exited(0))
                #expect(!server.log.contains("ThreadSanitizer"), "\(server.log.suffix(6000))")
            }
        }
    }
}
