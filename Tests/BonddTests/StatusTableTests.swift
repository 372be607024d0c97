import ControlProtocol
import Testing

@testable import bondd

/// The output of `bondd status`.
@Suite struct StatusTableTests {
    static func status(_ state: String, paths: [PathStatus] = []) -> Status {
        var status = Status(
            version: "0.1.0", role: "client", mode: "auto", interface: "bond0", mtu: 1400, uptime: 34,
            sessions: [
                SessionStatus(
                    client: "server", address: state == "up" ? "10.77.0.2" : "", state: state, mode: "auto",
                    rekeyAge: 0,
                    queuePackets: 1_000_000,
                    queue: QueueStatus(dropped: 1_000_000_000, marked: 1_000_000_000),
                    repair: RepairStatus(
                        resent: 1_000_000_000, unrepaired: 1_000_000_000, copied: 1_000_000_000),
                    paths: paths,
                    reorder: ReorderStatus(held: 100_000, late: 1_000_000_000, duplicates: 1_000_000_000))
            ],
            drops: Dictionary(
                uniqueKeysWithValues: (0..<12).map { ("reason_number_\($0)", UInt64(1_000_000)) }),
            offloads: OffloadStatus(
                tun: ["csum": "on", "tso4": "on", "tso6": "on", "uso": "missing"],
                udp: [.init(name: "fibre", segmentation: "refused", joining: "on")]),
            cipher: CipherStatus(suite: "chacha20-poly1305", library: "libcrypto"))
        status.problems = [
            "a problem whose remedy is a command that is longer than all of a line: ip link set bond0 up"
        ]
        return status
    }

    static func path(_ name: String) -> PathStatus {
        var path = PathStatus(name: name, interface: "enx001122334455", state: "suspect", role: "primary")
        (path.rtt, path.jitter, path.loss, path.rate, path.queue) = (1234.5, 123.4, 1, 1234.5, 1234.5)
        (path.sentBytes, path.receivedBytes) = (999_900_000_000, 999_900_000_000)
        return path
    }

    @Test(arguments: ["up", "connecting"]) func linesHold80Columns(_ state: String) {
        let paths = [Self.path("enx001122334455"), Self.path("enx001122334456"), Self.path("a")]
        let text = StatusTable(Self.status(state, paths: paths)).text
        for line in text.split(separator: "\n") where !line.hasPrefix("problem: ") {
            #expect(line.count <= 80, "\(line)")
        }
        // Text to be copied stays in one piece.
        #expect(text.contains("all of a line: ip link set bond0 up\n"))
        #expect(text.contains("\ncipher chacha20-poly1305 (libcrypto)\n"))
        for number in 0..<12 { #expect(text.contains("reason_number_\(number) 1000000")) }
    }

    @Test func classesAndLimitsHaveLines() {
        var status = Self.status("up")
        status.sessions[0].classes = [
            ClassStatus(name: "default", priority: 2, share: 80, sentBytes: 1_200_000_000, queuePackets: 31),
            ClassStatus(
                name: "calls", priority: 0, share: 20, ceiling: 2.5, sentBytes: 48_100_000, dropped: 4),
        ]
        status.sessions[0].limits = LimitStatus(rateUp: 0, rateDown: 100, priority: 2)
        let text = StatusTable(status).text
        #expect(text.contains("\n  class default: P2, 80.0 %, 1.2 GB sent, 31 waiting, 0 dropped\n"))
        #expect(
            text.contains(
                "\n  class calls: P0, 20.0 %, 2.5 Mbit/s at most, 48.1 MB sent, 0 waiting,\n      4 dropped\n"
            ),
            "\(text)")
        #expect(text.contains("\n  limits: 100.0 Mbit/s down, P2\n"))
    }

    @Test func beforeTheFirstHandshakeThereAreNoKeys() {
        #expect(StatusTable(Self.status("connecting")).text.contains("\nserver  connecting  mode auto\n"))
        #expect(
            StatusTable(Self.status("up")).text.contains("\nserver  10.77.0.2  up  mode auto  keys 0 s old\n")
        )
    }

    @Test func shortLinesStayAsTheyAre() {
        var status = Self.status("up", paths: [])
        status.offloads = OffloadStatus()
        #expect(
            StatusTable(status).text.contains(
                "\noffloads  tun (csum missing) (tso4 missing) (tso6 missing) (uso missing)   udp -\ncipher ")
        )
    }
}
