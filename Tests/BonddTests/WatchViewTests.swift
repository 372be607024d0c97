import ControlProtocol
import Testing

@testable import bondd

@Suite("Live view") struct WatchViewTests {
    /// A client with these paths, whose counters grew at 8 Mbit/s times the path's number up and half that down.
    static func status(_ paths: [String], second: Int = 0, run: String? = "1") -> Status {
        var status = Status(
            version: "1.2.3", role: "client", mode: "auto", interface: "bond0", mtu: 1400,
            uptime: Double(754 + second))
        status.run = run
        var session = SessionStatus(
            client: "server", address: "10.77.0.2", state: "up", mode: "auto", rekeyAge: 34, queuePackets: 7,
            queue: QueueStatus(dropped: 3, marked: 2),
            repair: RepairStatus(resent: 123, unrepaired: 4, copied: 56),
            reorder: ReorderStatus(held: 1, late: 12, duplicates: 1234, recovered: 5, deadline: 12.34))
        session.paths = paths.enumerated().map { number, name in
            var path = PathStatus(name: name, interface: "eth\(number)", state: "up", role: "primary")
            path.rtt = 20.12 * Double(number + 1)
            path.jitter = 0.3
            path.loss = Double(number) / 100
            path.queue = 1.5
            path.sentBytes = UInt64(second * (number + 1)) * 1_000_000
            path.receivedBytes = path.sentBytes / 2
            return path
        }
        status.sessions = [session]
        return status
    }

    static func view(_ paths: [String], seconds: Int = 3) -> WatchView {
        var view = WatchView()
        for second in 0...seconds { view.history.add(status(paths, second: second), at: Double(second)) }
        return view
    }

    static func text(_ view: WatchView, _ columns: Int, _ rows: Int) -> [String] {
        view.lines(columns: columns, rows: rows).map { line in
            String(line.text.reversed().drop { $0 == " " }.reversed())
        }
    }

    static let sizes = [(80, 24), (40, 10), (200, 50), (20, 5), (10, 2), (1, 1), (300, 3)]

    @Test func fitsAnyScreen() {
        let names = [
            [], ["fibre", "lte"], [String(repeating: "n", count: 63), "b"], (1...16).map { "path\($0)" },
        ]
        for (columns, rows) in Self.sizes {
            for paths in names {
                var view = Self.view(paths)
                for selection in [0, max(0, paths.count - 1)] {
                    view.selection = selection
                    let lines = view.lines(columns: columns, rows: rows)
                    #expect(lines.count == rows, "\(columns)×\(rows) with \(paths.count) paths")
                    #expect(lines.allSatisfy { $0.width <= columns })
                }
            }
        }
    }

    @Test func aUsualScreen() {
        var view = Self.view(["fibre", "lte"])
        view.selection = 1
        #expect(
            Self.text(view, 80, 24) == [
                "bond0  client  mode auto  mtu 1400  up 12 min                        bondd 1.2.3",
                "server  10.77.0.2  up  mode auto  keys 34 s old",
                "",
                "sent      24.0 Mbit/s                                                        ###",
                "received  12.0 Mbit/s                                                        ===",
                "",
                "  path  state   role    rtt ms jitter loss % queue  sent Mbit/s    recv Mbit/s",
                "  fibre up      primary   20.1    0.3    0.0   1.5  8.00      ===  4.00      :::",
                "> lte   up      primary   40.2    0.3    1.0   1.5  16.0      ###  8.00      ===",
                "",
                "order   1 held  12 late  1234 copies dropped  deadline 12.3 ms",
                "queue   7 waiting  3 dropped  2 marked",
                "repair  123 retransmitted  4 lost  5 recovered  56 sent twice",
                "", "", "", "", "", "", "", "", "", "",
                "q quit  m mode  r role  j k choose",
            ])
    }

    @Test func aSmallScreen() {
        #expect(
            Self.text(Self.view(["fibre", "lte"]), 40, 10) == [
                "bond0  client  mode auto  mtu 1400",
                "server  10.77.0.2  up  mode auto",
                "sent      24.0 Mbit/s                ###",
                "received  12.0 Mbit/s                ===",
                "  path  state   rtt ms  sent  recv",
                "> fibre up        20.1  8.00  4.00",
                "  lte   up        40.2  16.0  8.00",
                "order   1 held  12 late  1234 copies dro",
                "queue   7 waiting  3 dropped  2 marked",
                "q quit  m mode  r role  j k choose",
            ])
    }

    @Test func aWideScreenHasEverything() {
        let lines = Self.text(Self.view([String(repeating: "n", count: 63), "lte"]), 200, 50)
        #expect(lines.contains { $0.contains(String(repeating: "n", count: 63)) })
        #expect(lines.contains { $0.contains("queue") && $0.contains("jitter") && $0.contains("role") })
    }

    @Test func theSelectedPathIsAlwaysThere() {
        var view = Self.view((1...16).map { "path\($0)" })
        for selection in 0..<16 {
            view.selection = selection
            for (columns, rows) in [(80, 24), (40, 10)] {
                #expect(
                    Self.text(view, columns, rows).contains { $0.hasPrefix("> path\(selection + 1) ") },
                    "\(selection) at \(columns)×\(rows)")
            }
        }
    }

    @Test func problemsComeBeforeNotesAndCounts() {
        var status = Self.status(["fibre"], second: 4)
        status.problems = [
            "table ip filter drops forwarded packets; " + String(repeating: "allow it ", count: 9)
        ]
        status.notices = ["a note"]
        status.drops = ["source": 5, "malformed": 70]
        var view = Self.view(["fibre"])
        view.history.add(status, at: 4)
        let usual = Self.text(view, 80, 24)
        #expect(usual.contains("note: a note") && usual.contains("drops   malformed 70  source 5"))
        let small = Self.text(view, 40, 10)
        #expect(small.contains { $0.hasPrefix("problem: table ip filter") })
        #expect(!small.contains { $0.hasPrefix("note") })
    }

    @Test func noDaemonNoSession() {
        var view = WatchView()
        view.silence = "bondd does not answer: no bondd answers on /x"
        #expect(Self.text(view, 30, 5) == ["bondd does not answer: no bond"])
        view = Self.view(["fibre"])
        view.silence = "bondd does not answer: gone"
        #expect(Self.text(view, 80, 24)[1] == "bondd does not answer: gone")
        var status = Self.status([])
        status.sessions = []
        view = WatchView()
        view.history.add(status, at: 0)
        #expect(Self.text(view, 80, 24).contains("no session"))
    }

    @Test func namesFromElsewhereDoNotSteerTheTerminal() {
        var status = Self.status(["a\u{1B}[2Jb"])
        status.notices = ["x\u{7}\ny"]
        var view = WatchView()
        view.history.add(status, at: 0)
        for line in view.lines(columns: 80, rows: 24) {
            #expect(!line.drawn(hasColour: false).contains("[2J") || !line.text.contains("\u{1B}"))
            #expect(line.text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 })
        }
    }

    @Test func coloursAreLeftOut() {
        let line = StyledLine("up", .good)
        #expect(
            line.drawn(hasColour: true) == "\u{1B}[32mup\u{1B}[0m" && line.drawn(hasColour: false) == "up")
    }

    // MARK: - A server

    static func server(_ count: Int, seconds: Int = 2) -> WatchView {
        var view = WatchView()
        for second in 0...seconds {
            var status = Self.status([], second: second)
            status.role = "server"
            status.sessions = (1...count).map { number in
                var session = Self.status(["path1", "path2"], second: second * number).sessions[0]
                session.client = "client\(number)"
                return session
            }
            view.history.add(status, at: Double(second))
        }
        return view
    }

    @Test func manySessionsAreAListByRate() {
        var view = Self.server(200)
        var lines = Self.text(view, 80, 24)
        #expect(lines[0].contains("sessions 200 of 200 up"))
        #expect(lines.count == 24 && lines.contains { $0.hasPrefix("> client200 ") && $0.contains("2/2") })
        _ = view.press(.down)
        lines = Self.text(view, 80, 24)
        #expect(lines.contains { $0.hasPrefix("> client199 ") })
        _ = view.press(.bottom)
        #expect(Self.text(view, 80, 24).contains { $0.hasPrefix("> client1 ") })
        // By name, and into one.
        _ = view.press(.sort)
        _ = view.press(.top)
        _ = view.press(.open)
        #expect(view.opened == "client1")
        #expect(Self.text(view, 80, 24).contains { $0.hasPrefix("> path1 ") })
        _ = view.press(.back)
        #expect(Self.text(view, 80, 24).contains { $0.hasPrefix("> client1 ") })
    }

    // MARK: - Keys

    @Test func keysAskForTheNextModeAndRole() {
        var view = Self.view(["fibre", "a.b"])
        #expect(view.press(.mode) == .init(key: "mode", value: "stripe"))
        _ = view.press(.down)
        _ = view.press(.down)
        #expect(view.selection == 1)
        #expect(view.press(.role) == .init(key: "path.a.b.role", value: "backup"))
        view = Self.view([])
        #expect(view.press(.role) == nil)
    }

    @Test func keysAreReadFromWhatTerminalsSend() {
        let sent: [(String, [Key])] = [
            ("q", [.quit]), ("\u{3}", [.quit]), ("jkmr", [.down, .up, .mode, .role]),
            ("\u{1B}[A\u{1B}OB", [.up, .down]), ("\u{1B}[1;5A", [.up]), ("\u{1B}", [.back]),
            ("\u{1B}[", []), ("zß\u{1B}[Z", []), ("\r", [.open]), ("\u{1B}[3~q", [.quit]),
        ]
        for (text, keys) in sent { #expect(Key.keys(in: text.utf8) == keys, "\(text.debugDescription)") }
    }

    // MARK: - Rates

    @Test func ratesAreOfWhatWasCounted() {
        var history = Self.view(["fibre", "lte"]).history
        #expect(history.total.samples == Array(repeating: .init(sent: 24, received: 12), count: 3))
        #expect(history.paths[.init(client: "server", path: "lte")]?.latest == .init(sent: 16, received: 8))
        // A second reading at the same time is not a sample; after a restart counters begin at 0.
        history.add(Self.status(["fibre", "lte"], second: 3), at: 3.1)
        #expect(history.total.samples.count == 3)
        history.add(Self.status(["fibre", "lte"], second: 1, run: "2"), at: 4)
        #expect(history.total.samples.count == 3)
        history.add(Self.status(["fibre", "lte"], second: 2, run: "2"), at: 5)
        #expect(history.total.samples.count == 4 && history.total.latest.sent == 24)
        // Counters that go back, as with a new session, yield no negative rates.
        history.add(Self.status(["fibre", "lte"], second: 0, run: "2"), at: 6)
        #expect(history.total.latest == .init(sent: 0, received: 0))
        for second in 7..<200 { history.add(Self.status(["fibre"], run: "2"), at: Double(second)) }
        #expect(history.total.samples.count == RateHistory.capacity)
    }

    @Test func sparklinesHaveTheirBars() {
        #expect(Sparkline.ascii.text([0, 5, 10, 20, .nan], width: 7, top: 10) == "  _=##_")
        #expect(Sparkline.unicode.text([0, 10], width: 1, top: 10) == "█")
        #expect(Sparkline.unicode.text([1], width: 0, top: 10) == "")
    }

    @Test func figuresAreShort() {
        #expect(
            [0, 0.04, 9.99, 10, 99.96, 999.94, 1234.5].map(Figure.rate) == [
                "0.00", "0.04", "9.99", "10.0", "100.0", "999.9", "1235",
            ])
        #expect([Double.nan, .infinity, 1e300].map(Figure.text) == ["-", "-", "-"])
        #expect([0, 119, 120, 7200, 200_000].map(Figure.time) == ["0 s", "119 s", "2 min", "2 h", "2 d"])
    }

    // MARK: - Lines

    @Test func withoutAScreenThereAreLines() {
        #expect(
            Self.view(["fibre"]).plainLines(time: "12:00:00") == [
                "12:00:00 bond0 client auto up  sent 8.00  received 4.00 Mbit/s",
                "12:00:00   fibre up primary rtt 20.1 ms loss 0.0 %  sent 8.00  received 4.00 Mbit/s",
            ])
        #expect(Self.server(200).plainLines(time: "12:00:00").count == 22)
    }
}
