import Foundation
import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Classes of service, and a client's rates.
    @Suite("Classes of service", .lane(.measuring)) struct ServiceClasses {
        private static let classes = """
            [[class]]
            name = "calls"
            ports = ["udp/5301"]
            priority = 0
            share = 20
            [[class]]
            name = "video"
            ports = ["udp/5302"]
            share = 50
            [[class]]
            name = "marked"
            fwmark = 7
            share = 5
            [[class]]
            name = "backup"
            cgroup = "bondd-test/backup"
            priority = 3
            share = 5
            """

        /// A hierarchy of control groups, mounted where there is none.
        private final class Groups {
            private var mounted: String?
            private let root: String
            var place: String { "\(root)/bondd-test" }

            init() throws {
                let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
                let line = mounts.split(separator: "\n").map { $0.split(separator: " ") }
                    .first { $0.count > 2 && $0[2] == "cgroup2" }
                if let line {
                    root = String(line[1])
                } else {
                    root = FileManager.default.temporaryDirectory.path + "/bondd-test-groups"
                    try FileManager.default.createDirectory(
                        atPath: root, withIntermediateDirectories: true)
                    try #require(mount("none", root, "cgroup2", 0, nil) == 0)
                    mounted = root
                }
                rmdir("\(place)/backup")
                rmdir(place)
                try #require(mkdir(place, 0o755) == 0)
            }

            deinit {
                rmdir("\(place)/backup")
                rmdir(place)
                if let mounted {
                    umount(mounted)
                    rmdir(mounted)
                }
            }
        }

        @Test func classesAndRates() throws {
            let groups = try Groups()
            let tunnel = try Tunnel(mode: "auto")
            defer { tunnel.close() }
            let client = try tunnel.client("laptop", uplinks: ["fibre=12/10", "lte=8/20"])
            try client.change { $0.tables = Self.classes }
            try tunnel.changeServer { $0.clients[0].keys = "rate_down = 100" }
            try tunnel.start()
            func start(
                _ megabits: Double, port: UInt16, size: Int = 1300, seconds: Int, reverse: Bool = false,
                by prefix: [String] = []
            ) throws -> UDPFlow.Running {
                try UDPFlow.start(
                    from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                    megabits: megabits, seconds: seconds, size: size, reverse: reverse, port: port, by: prefix
                )
            }
            try checkCallsAndShares(
                tunnel, client, start: { try start($0, port: $1, size: $2, seconds: $3, reverse: $4) })
            try checkMarks(tunnel, client, groups.place) { try start(2, port: $0, seconds: 2, by: $1) }
            try checkRates(tunnel, client) { try start(15, port: 5305, seconds: 5, reverse: $0).finish() }
            client.bondd.stop()
            #expect(!(try client.namespace.run(["nft", "list", "tables"])).contains("bondd"))
        }

        private typealias Start = (Double, UInt16, Int, Int, Bool) throws -> UDPFlow.Running

        /// Calls next to two floods, in each direction.
        private func checkCallsAndShares(_ tunnel: Tunnel, _ client: TunnelClient, start: Start) throws {
            for isDown in [false, true] {
                let end = isDown ? tunnel.server : client.bondd
                let floods = try [UInt16(5302), 5303].map { try start(20, $0, 1300, 8, isDown) }
                // The floods have found the bond's rate.
                usleep(2_000_000)
                let before = try end.status().sessions.first
                let calls = try start(0.4, 5301, 160, 4, isDown).finish()
                let after = try end.status().sessions.first
                for flood in floods { _ = try flood.finish() }
                // iperf3 answers whoever sends first: what is left of a flood must not meet the next listener.
                try end.wait(for: "the floods' backlog to leave", seconds: 5) { status in
                    status.sessions.first?.queue_packets == 0
                }
                usleep(500_000)
                let direction = isDown ? "down" : "up"
                measured("calls \(direction): lost of \(calls.sent)", Double(calls.lost), "packets")
                measured("calls \(direction): jitter", calls.jitter, "ms")
                #expect(calls.sent > 1000 && calls.lost == 0 && calls.jitter <= 5, "\(calls)")
                func bytes(_ name: String) -> Double {
                    let (old, new) = (before?.serviceClass(name), after?.serviceClass(name))
                    return Double((new?.tx_bytes ?? 0) - (old?.tx_bytes ?? 0))
                }
                // The calls want less than their share. The rest is the others', by their shares. The server knows
                // of no marks, so that the default class has more there.
                let rest = isDown ? 30.0 : 20
                #expect(after?.serviceClass("default")?.share == rest)
                let part = bytes("video") / (bytes("video") + bytes("default")) * (50 + rest)
                measured("video \(direction): of 50 to \(rest)", part, "")
                #expect(abs(part / 50 - 1) < 0.03, "\(part)")
                #expect((after?.serviceClass("video")?.dropped ?? 0) > 100)
            }
            #expect(
                try tunnel.server.status().sessions[0].serviceClass("backup") == nil, "only its host knows it"
            )
        }

        /// Classes by mark and control group, which the far side does not see.
        private func checkMarks(
            _ tunnel: Tunnel, _ client: TunnelClient, _ place: String,
            start: (UInt16, [String]) throws -> UDPFlow.Running
        ) throws {
            try client.namespace.run([
                "nft",
                "add table inet lab; add chain inet lab out { type filter hook output priority mangle; }; "
                    + "add rule inet lab out udp dport 5304 meta mark set 7",
            ])
            try tunnel.server.namespace.run([
                "nft",
                "add table inet lab; add chain inet lab in { type filter hook input priority 0; }; "
                    + "add rule inet lab in iifname bond0 ip dscp != 0 counter",
            ])
            #expect(try client.bondd.status().problems?.contains { $0.contains("bondd-test/backup") } == true)
            #expect(mkdir("\(place)/backup", 0o755) == 0)
            try wait(seconds: 5, "the control group's rule") {
                try client.bondd.status().problems?.contains { $0.contains("bondd-test/backup") } != true
            }
            let marked = try start(5304, [])
            let grouped = try start(
                5306, ["sh", "-c", "echo $$ >\(place)/backup/cgroup.procs; exec \"$@\"", "sh"])
            let flows = [try marked.finish(), try grouped.finish()]
            let session = try #require(try client.bondd.status().sessions.first)
            for (name, flow) in zip(["marked", "backup"], flows) {
                let packets = session.serviceClass(name)?.tx_packets ?? 0
                #expect(
                    flow.lost == 0 && packets >= flow.sent && packets < flow.sent + 100, "\(name): \(packets)"
                )
            }
            let counted = try tunnel.server.namespace.run(["nft", "list", "chain", "inet", "lab", "in"])
            #expect(counted.contains("packets 0 "), "\(counted)")
        }

        /// A client's rates, set while it is connected, and those of the file after a reload.
        private func checkRates(
            _ tunnel: Tunnel, _ client: TunnelClient, flood: (_ reverse: Bool) throws -> UDPFlow
        ) throws {
            #expect(try tunnel.server.status().sessions[0].limits?.rate_down_mbit == 100)
            try tunnel.server.set("client.laptop.rate_up", "2")
            try tunnel.server.set("client.laptop.rate_down", "4")
            try wait(seconds: 2, "the rate at the client") {
                try client.bondd.status().sessions.first?.limits?.rate_up_mbit == 2
            }
            for (rate, isDown) in [(2.0, false), (4, true)] {
                // The payload without headers of 28 bytes, which count.
                let megabits = try flood(isDown).megabits * 1328 / 1300
                measured("throttled to \(rate) Mbit/s \(isDown ? "down" : "up")", megabits, "Mbit/s")
                #expect(abs(megabits / rate - 1) < 0.05, "\(megabits) of \(rate)")
            }
            #expect(try tunnel.server.status().drops["over_rate"] == 0, "the client keeps to its rate itself")
            tunnel.server.signal(SIGHUP)
            try wait(seconds: 2, "the file's limits") {
                try client.bondd.status().sessions.first?.limits == nil
                    && tunnel.server.status().sessions[0].limits?.rate_down_mbit == 100
            }
        }
    }
}
