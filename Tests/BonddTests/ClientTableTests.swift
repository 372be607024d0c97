import ControlProtocol
import Testing

@testable import bondd

/// The output of `bondd clients`.
@Suite struct ClientTableTests {
    static let now = 2_000_000_000

    static var up: ClientStatus {
        var client = ClientStatus(
            name: "laptop", publicKey: "KEY", addresses: ["10.77.0.2", "fd77::2"], source: "state",
            isUp: false,
            lastSeenAt: now - 300, sentBytes: 999_900_000_000, receivedBytes: 45_600_000)
        var slow = PathStatus(
            name: "lte", interface: "", state: "up", role: "primary", remote: "192.0.2.9:40001")
        var fast = PathStatus(
            name: "fibre", interface: "", state: "up", role: "primary", remote: "[2001:db8::9]:40000")
        let dead = PathStatus(name: "dsl", interface: "", state: "down", role: "primary")
        let spent = PathStatus(name: "5g", interface: "", state: "spent", role: "never")
        (slow.rtt, fast.rtt) = (60.04, 20.06)
        var session = SessionStatus(
            client: "laptop", address: "10.77.0.2", state: "up", mode: "auto", rekeyAge: 95,
            paths: [slow, fast, dead, spent])
        session.version = "0.1.0"
        client.add(session)
        return client
    }

    @Test func itSaysHowAClientConnects() {
        let old = ClientStatus(
            name: "van", publicKey: "KEY", addresses: ["10.77.0.3"], source: "file", isUp: false)
        let text = ClientTable(
            [Self.up, old], [],
            notices: ["two hosts use the key of client \"laptop\"; act", "something else"], now: Self.now
        ).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 8, "\(text)")
        #expect(lines[1].contains("laptop  10.77.0.2  up     now") && lines[1].contains("20.1"))
        #expect(lines[2] == "      and fd77::2")
        #expect(
            lines[3] == "      from 192.0.2.9:40001, [2001:db8::9]:40000, last handshake 1 min ago"
                || lines[3].contains("last handshake"))
        #expect(lines[4] == "      with bondd 0.1.0")
        #expect(lines[5] == "      data for the month used up on 5g")
        #expect(lines[6].contains("never") && lines[6].contains(" - "))
        #expect(lines[7] == "note: two hosts use the key of client \"laptop\"; act")
        for line in lines.prefix(7) { #expect(line.count <= 80, "\(line)") }
    }

    /// `bondd clients --json` includes the new keys, and can read lists from versions without them.
    @Test func theJSONIsGrownOnly() throws {
        let line = String(decoding: try Line.encode(Self.up), as: UTF8.self)
        for key in [
            "\"remotes\":[\"192.0.2.9:40001\"", "\"rtt_ms\":20.06", "\"handshake_age_s\":95", "\"up\":true",
        ] {
            #expect(line.contains(key), "\(line)")
        }
        let old = #"{"name":"a","public_key":"K","addresses":[],"source":"file","tx_bytes":0,"rx_bytes":0}"#
        #expect(try Line.decode(ClientStatus.self, from: old.utf8).remotes == nil)
    }
}
