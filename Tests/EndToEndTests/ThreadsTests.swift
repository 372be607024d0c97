import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// A server with several data threads.
    @Suite("Threads") struct Threads {
        @Test(arguments: [2, 4]) func everybodyReachesEverybody(threads: Int) throws {
            try Crowd.with(5, threads: threads) { crowd in
                let status = try crowd.tunnel.server.status()
                #expect(status.threads == threads)
                #expect(status.sessions.map(\.client) == (0..<5).map { "c\($0)" })
                #expect(try crowd.pingAll() == [])
                let flows = try crowd.flows(seconds: 2)
                #expect(flows.allSatisfy { $0 > 1 }, "\(flows)")
                let drops = try crowd.tunnel.server.status().drops
                for reason in ["unknown_session", "forged", "replayed", "handover_full"] {
                    #expect(drops[reason] == 0, "\(reason): \(drops)")
                }
            }
        }

        @Test(arguments: [false, true]) func datagramsArriveInOrder(downwards: Bool) throws {
            try Crowd.with(3, threads: 4) { crowd in
                // The third client belongs to the third thread.
                let flow = try UDPFlow.run(
                    from: crowd.clients[2].namespace, to: crowd.tunnel.server.namespace,
                    address: Tunnel.serverAddress, megabits: 50, seconds: 4, reverse: downwards)
                // After 3 s without a write the kernel forgets a flow's queue.
                measured("out of order of \(flow.sent)", Double(flow.outOfOrder), "datagrams")
                #expect(flow.outOfOrder <= flow.sent / 1000 && flow.loss < 0.01, "\(flow)")
            }
        }

        @Test func aKilledServerComesBackForAll() throws {
            try Crowd.with(4, threads: 4) { crowd in
                crowd.tunnel.server.kill()
                try crowd.tunnel.server.start()
                let moment = Clock.monotonic
                for client in crowd.clients {
                    try client.bondd.wait(for: "a new session", seconds: 3) { status in
                        status.isWhole && status.uptime_s > 0
                    }
                }
                try crowd.tunnel.server.wait(for: "all clients", seconds: 3) { status in
                    status.sessions.count == 4 && status.isWhole
                }
                measured("killed server to all sessions up", Clock.monotonic - moment, "s")
                #expect(try crowd.pingAll() == [])
            }
        }

        @Test func clientsComeAndGoAndTheRestDoesNotNotice() throws {
            try Crowd.with(4, threads: 3) { crowd in
                let (server, clients) = (crowd.tunnel.server, crowd.clients)
                let runs = try clients.dropFirst().map {
                    try PingRun.start(from: $0.namespace, to: Tunnel.serverAddress, count: 300)
                }
                let all = crowd.tunnel.serverFile.clients
                try crowd.tunnel.changeServer { $0.clients.removeFirst() }
                server.signal(SIGHUP)
                try server.wait(for: "c0 to be gone", seconds: 2) { $0.session("c0") == nil }
                try crowd.tunnel.changeServer { $0.clients = all.reversed() }
                server.signal(SIGHUP)
                try server.wait(for: "c0 to be back", seconds: 5) { $0.session("c0") != nil }
                try server.set("mode", "redundant")
                #expect(try server.status().mode == "redundant")
                #expect(runs.allSatisfy { $0.finish().lost == 0 })
                try clients[0].waitUntilWhole()
                #expect(try crowd.pingAll(20) == [])
                try crowd.tunnel.changeServer { $0.threads = 2 }
                server.signal(SIGHUP)
                try server.child?.waitForOutput("change only with a restart", seconds: 2)
            }
        }

        /// Status and usage are gathered while packets flow, including those of the main thread's client.
        @Test func questionsCostNoPackets() throws {
            try Crowd.with(2, threads: 2) { crowd in
                let server = crowd.tunnel.server
                let quiet = try PingRun.run(
                    from: crowd.clients[0].namespace, to: Tunnel.serverAddress, count: 200)
                let runs = try crowd.clients.map {
                    try PingRun.start(from: $0.namespace, to: Tunnel.serverAddress, count: 400)
                }
                // Six at once, repeated as soon as they are answered, which makes more than twenty a second.
                let ask = "\(try Program().path) status --json --socket \(server.socket)"
                let loop = "for i in 1 2 3 4 5 6 7 8; do \(ask) || exit 1; done"
                let askers = try (0..<6).map { _ in
                    try Child(["sh", "-c", loop], in: server.namespace)
                }
                usleep(500_000)
                server.signal(SIGHUP)
                for asker in askers {
                    #expect(try asker.wait(seconds: 60) == .exited(0), "\(asker.errors)")
                    let answers = asker.output.split(separator: "\n")
                    #expect(answers.count == 8)
                    // From both threads.
                    #expect(answers.allSatisfy { $0.contains("\"c0\"") && $0.contains("\"c1\"") })
                }
                measured("longest ping in quiet", quiet.quantile(1) ?? 0, "ms")
                for (number, run) in runs.map({ $0.finish() }).enumerated() {
                    measured("longest ping of thread \(number)'s client", run.quantile(1) ?? 0, "ms")
                    #expect(run.lost == 0)
                }
            }
        }

        @Test func clientsSeeAtOnceThatTheServerEnds() throws {
            try Crowd.with(4, threads: 4) { crowd in
                #expect(crowd.tunnel.server.stop(within: 2) == .exited(0))
                for client in crowd.clients {
                    try client.bondd.wait(for: "the session's end", seconds: 1) { status in
                        status.sessions.first?.state != "up"
                    }
                }
            }
        }

        @Test func aPortThatAnotherHasIsAnError() throws {
            try Crowd.with(1, threads: 2) { crowd in
                let server = crowd.tunnel.server
                let text = crowd.tunnel.serverFile.text.replacing("\"bond0\"", with: "\"bond1\"")
                    .replacing("10.77.0.", with: "10.78.0.").replacing("fd77:", with: "fd78:")
                try server.scratch.write(text, to: "second.toml")
                let path = server.scratch.path
                let second = try server.command(["run", "--config", "\(path)/second.toml"])
                #expect(second.errors.contains("another bondd"), "the socket: \(second.errors)")
                let third = try server.namespace.spawn([
                    Program().path, "run", "--config", "\(path)/second.toml", "--socket", "\(path)/other",
                ])
                #expect(try third.wait(seconds: 3) == .exited(1))
                #expect(third.errors.contains("in use"), "\(third.errors)")
                #expect(try crowd.pingAll(10) == [])
            }
        }
    }
}
