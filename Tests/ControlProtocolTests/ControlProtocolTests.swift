import ControlProtocol
import Testing

@Suite struct ControlProtocolTests {
    func text(_ message: some Encodable) throws -> String {
        String(decoding: try Line.encode(message), as: UTF8.self)
    }

    @Test(arguments: [
        (Request.status, #"{"do":"status"}"#),
        (
            .set(key: "path.fibre/2.cap", value: "95\n\"é"),
            #"{"do":"set","key":"path.fibre/2.cap","value":"95\n\"é"}"#
        ),
        (.reload, #"{"do":"reload"}"#), (.unlock, #"{"do":"unlock"}"#),
        (.bench(path: nil, towardsServer: nil), #"{"do":"bench"}"#),
        (.bench(path: "lte", towardsServer: false), #"{"do":"bench","path":"lte","up":false}"#),
    ])
    func requestsAreAsWritten(request: Request, line: String) throws {
        #expect(try text(request) == line + "\n")
        #expect(try Line.decode(Request.self, from: line.utf8) == request)
        #expect(try Line.decode(Request.self, from: (line + "\n").utf8) == request)
    }

    @Test(arguments: [
        (Response.ok, #"{"ok":true}"#), (.failed("no such path"), #"{"error":"no such path","ok":false}"#),
    ])
    func responsesAreAsWritten(response: Response, line: String) throws {
        #expect(try text(response) == line + "\n")
        #expect(try Line.decode(Response.self, from: line.utf8) == response)
    }

    @Test(arguments: [
        "", "{}", "null", "[]", #"{"do":"dance"}"#, #"{"do":"set","key":"mode"}"#, #"{"do":1}"#, "{",
    ])
    func whatIsNoRequestIsRefused(line: String) {
        #expect(throws: DecodingError.self) { try Line.decode(Request.self, from: line.utf8) }
    }

    @Test func unknownKeysAreSkipped() throws {
        #expect(try Line.decode(Request.self, from: #"{"do":"status","since":3}"#.utf8) == .status)
        #expect(try Line.decode(Response.self, from: #"{"ok":true,"more":[1]}"#.utf8) == .ok)
    }

    @Test func statusHasTheKeysOfTheContract() throws {
        var path = PathStatus(
            name: "fibre", interface: "eth0", state: "up", role: "primary", local: "192.0.2.2:4000",
            remote: "203.0.113.7:5000")
        path.rtt = 12.5
        path.jitter = 0.5
        path.loss = 0.25
        path.rate = 95.5
        path.queue = 1.5
        path.mtu = 1500
        path.sentBytes = 1
        path.receivedBytes = 2
        path.sentPackets = 3
        path.receivedPackets = 4
        path.lost = 5
        path.repaired = 6
        path.dataCap = 50
        path.dataUsed = 8.5
        let session = SessionStatus(
            client: "laptop", address: "10.77.0.2", state: "up", mode: "auto", rekeyAge: 60.5,
            queuePackets: 7, queue: QueueStatus(dropped: 13, marked: 14),
            repair: RepairStatus(resent: 15, unrepaired: 16, copied: 17),
            paths: [path],
            reorder: ReorderStatus(held: 8, late: 9, duplicates: 10, recovered: 11, deadline: 40.5),
            drops: ["queue_full": .max])
        let status = Status(
            version: "1.0", role: "client", mode: "auto", redundantPaths: 2, interface: "bond0", mtu: 1400,
            uptime: 3600.5,
            threads: 2, handshakes: 31, sessions: [session], drops: ["no_session": 12],
            offloads: OffloadStatus(
                tun: ["csum": "on", "uso": "missing"],
                udp: [.init(name: "fibre", segmentation: "refused", joining: "off")]),
            cipher: CipherStatus(suite: "aes-256-gcm", library: "libsodium"), notices: ["[nat] is off"])
        let golden =
            #"{"ok":true,"status":{"cipher":{"library":"libsodium","suite":"aes-256-gcm"},"drops":{"no_session":12},"#
            + #""handshakes":31,"interface":"bond0","mode":"auto","mtu":1400,"notices":["[nat] is off"],"#
            + #""offloads":{"tun":{"csum":"on","uso":"missing"},"udp":[{"gro":"off","gso":"refused","name":"fibre"}]},"redundant_paths":2,"role":"client","sessions":[{"address":"10.77.0.2","#
            + #""client":"laptop","drops":{"queue_full":18446744073709551615},"mode":"auto","paths":["#
            + #"{"data_cap_gb":50,"data_used_gb":8.5,"interface":"eth0","jitter_ms":0.5,"local":"192.0.2.2:4000","loss":0.25,"lost":5,"mtu":1500,"#
            + #""name":"fibre","queue_ms":1.5,"rate_mbit":95.5,"remote":"203.0.113.7:5000","repaired":6,"#
            + #""role":"primary","rtt_ms":12.5,"rx_bytes":2,"rx_packets":4,"state":"up","tx_bytes":1,"#
            + #""tx_packets":3}],"queue":{"dropped":13,"marked":14},"queue_packets":7,"rekey_age_s":60.5,"reorder":{"deadline_ms":40.5,"#
            + #""duplicates":10,"held":8,"late":9,"recovered":11},"repair":{"copied":17,"resent":15,"unrepaired":16},"state":"up"}],"threads":2,"uptime_s":3600.5,"version":"1.0"}}"#
        #expect(try text(Response.status(status)) == golden + "\n")
        #expect(try Line.decode(Response.self, from: golden.utf8) == .status(status))
        // The status of a version without this key is understood.
        let earlier = golden.replacing(/"cipher":.*?},/, with: "").replacing(/"offloads":.*?]},/, with: "")
            .replacing(/"(queue|repair)":{.*?},/, with: "").replacing(/"(data_|redundant).*?,/, with: "")
        guard case .status(let old) = try Line.decode(Response.self, from: earlier.utf8) else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: earlier))
        }
        #expect(old.offloads == nil && old.cipher == nil && old.redundantPaths == nil)
        let there = try #require(old.sessions.first)
        #expect(there.queue == nil && there.repair == nil && there.queuePackets == 7)
        #expect(there.paths.first?.dataUsed == nil && there.paths.first?.repaired == 6)
        let earliest = golden.replacing(",\"recovered\":11", with: "")
        guard case .status(let older) = try Line.decode(Response.self, from: earliest.utf8) else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: earliest))
        }
        #expect(older.sessions[0].reorder.recovered == 0 && older.sessions[0].reorder.late == 9)
    }

    @Test func theKeysOfClassesAndLimits() throws {
        var session = SessionStatus(client: "a", address: "", state: "up", mode: "auto", rekeyAge: 0)
        session.classes = [
            ClassStatus(
                name: "calls", priority: 0, share: 20, ceiling: 1.5, sentPackets: 1, sentBytes: 2,
                queuePackets: 3, dropped: 4, marked: 5)
        ]
        session.limits = LimitStatus(rateUp: 6, rateDown: 7.5, priority: 2)
        let status = Status(
            version: "1", role: "server", mode: "auto", interface: "bond0", mtu: 1400, uptime: 1,
            sessions: [session])
        let said = try text(Response.status(status))
        for part in [
            #""classes":[{"ceiling_mbit":1.5,"dropped":4,"marked":5,"name":"calls","priority":0,"queue_packets":3,"#
                + #""share":20,"tx_bytes":2,"tx_packets":1}]"#,
            #""limits":{"priority":2,"rate_down_mbit":7.5,"rate_up_mbit":6}"#,
        ] {
            #expect(said.contains(part), "\(said)")
        }
        #expect(try Line.decode(Response.self, from: said.utf8) == .status(status))
    }

    @Test func theFirewallsKeys() throws {
        var status = Status(
            version: "1", role: "server", mode: "auto", interface: "bond0", mtu: 1400, uptime: 1)
        #expect(try !text(status).contains("firewall"))
        status.firewall = FirewallStatus(nat: .init(egress: ["eth0"]), killSwitch: true, refusedPackets: 7)
        status.firewall?.nat?.sentBytes = 5
        let golden =
            #""firewall":{"kill_switch":true,"nat":{"egress":["eth0"],"rx_bytes":0,"rx_packets":0,"tx_bytes":5,"#
            + #""tx_packets":0},"refused_packets":7}"#
        #expect(try text(status).contains(golden))
        #expect(try Line.decode(Status.self, from: text(status).utf8) == status)
    }

    @Test func whatJSONCannotSayIsAnError() {
        let status = Status(version: "", role: "", mode: "", interface: "", mtu: 0, uptime: .infinity)
        #expect(throws: EncodingError.self) { try Line.encode(status) }
    }
}
