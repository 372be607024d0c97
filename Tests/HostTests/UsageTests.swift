import Glibc
import Packet
import Runtime
import Settings
import TestSupport
import Testing

@testable import Host

@Suite struct UsageTests {
    private let november = Month("2026-11")!
    private let december = Month("2026-12")!

    @Test(
        arguments: [
            (0, "1970-01"), (951_868_799, "2000-02"), (951_868_800, "2000-03"), (1_796_083_199, "2026-11"),
            (1_796_083_200, "2026-12"), (1_798_761_599, "2026-12"), (1_798_761_600, "2027-01"),
        ] as [(UInt64, String)])
    func monthsBeginAtMidnightUTC(seconds: UInt64, text: String) {
        #expect(Month(of: seconds).description == text && Month(text) == Month(of: seconds))
    }

    @Test func monthsHaveAnOrder() {
        #expect(november < december && november.next == december && december.next.description == "2027-01")
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-11-01", "2026-+1", "x026-01"]
        {
            #expect(Month(text) == nil, "\(text)")
        }
    }

    @Test func aLedgerIsWhatItsTextSays() {
        var ledger = UsageLedger(month: november)
        #expect(UsageLedger(ledger.text) == ledger)
        ledger.add(5, to: "lte")
        ledger.add(7, to: "fibre.2")
        ledger.add(.max, to: "sat")
        ledger.add(1, to: "sat")
        ledger.add(1, to: "lte")
        #expect(ledger.text == "month 2026-11\nfibre.2 7\nlte 6\nsat 18446744073709551615\n")
        #expect(UsageLedger(ledger.text) == ledger && ledger.used(by: "nowhere") == 0)
    }

    /// Truncated anywhere, or with a byte changed, it does not parse as another ledger.
    @Test func whatIsCutOffIsNoLedger() {
        let text = "month 2026-11\nfibre 71\nlte 6\n"
        for count in 0..<text.utf8.count
        where !["month 2026-11\n", "month 2026-11\nfibre 71\n"].contains(String(text.prefix(count))) {
            #expect(UsageLedger(String(text.prefix(count))) == nil, "\(count)")
        }
        for bad in [
            "month 2026-11\nlte 6\nlte 7\n", "month 2026-11\nlte -6\n", "month 2026-11\nlte +6\n",
            "month 2026-11\nlte 6 7\n",
            "month 2026-11\n 6\n", "month 2026-11\nlte\n", "month 2026-11\n\n", "\n",
            "lte 6\nmonth 2026-11\n", "month 2026-11\nmonth 2026-11\n",
            "month 2026-11\nmonth 2026-12\nlte 6\nlte 7\n",
            "month 2026-11\nlte 18446744073709551616\n",
        ] { #expect(UsageLedger(bad) == nil, "\(bad)") }
        #expect(UsageLedger(String(repeating: "month 2026-11\n", count: 2000)) == nil)
    }

    /// A book, a clock that shows a month, and elapsed time.
    private struct Life {
        var book: UsageBook
        var now = Instant.zero

        init(_ ledger: UsageLedger) { book = UsageBook(ledger, now: .zero) }

        mutating func use(_ bytes: UInt64, _ month: String, after seconds: Int64 = 1) -> UInt64 {
            now = now + .seconds(seconds)
            return book.count(bytes, over: "lte", in: Month(month)!, now: now)
        }

        /// The daemon is killed and started again.
        mutating func restart() throws {
            book = UsageBook(try #require(UsageLedger(book.ledger.text)), now: .zero)
            now = .zero
        }
    }

    @Test func aMonthsTurnBeginsAnewAndAClockThatIsNotSetDoesNot() {
        var life = Life(UsageLedger(month: november))
        #expect(life.use(5, "2026-11") == 5)
        #expect(life.use(5, "1970-01") == 10, "after a start without a battery")
        #expect(life.use(0, "2025-12", after: 100_000) == 10)
        #expect(life.use(0, "2026-11") == 10)
        #expect(life.use(1, "2026-12") == 1)
        #expect(life.book.ledger.ahead == nil)
        var early = Life(UsageLedger(month: Month("1970-01")!))
        #expect(early.use(5, "1970-01") == 5)
        #expect(early.use(5, "2026-11") == 10, "nothing was used in 1970")
        #expect(early.use(0, "2026-12") == 0)
    }

    /// A month ahead for 10 s, for two hours, or through a restart.
    @Test(arguments: [10, 7200] as [Int64], [false, true])
    func aClockThatWasAheadGrantsNothingAnew(_ seconds: Int64, _ restarts: Bool) throws {
        var life = Life(UsageLedger(month: november))
        #expect(life.use(500, "2026-11") == 500)
        #expect(life.use(3, "2026-12") == 3)
        #expect(life.use(4, "2026-12", after: seconds) == 7)
        if restarts { try life.restart() }
        #expect(life.use(0, "2026-11") == 507)
        #expect(life.book.ledger.ahead == december)
        #expect(life.use(10, "2026-11") == 517)
        if restarts { try life.restart() }
        #expect(life.use(10, "2026-11", after: 900) == 527)
        #expect(life.use(0, "2026-12", after: 86_400) == 0, "and nothing is left of it in December")
    }

    /// The file counts a month that is years ahead, and the cap is used up.
    @Test func aMonthThatIsFarAheadLastsUntilTheEndOfThisOne() throws {
        var life = Life(try #require(UsageLedger("month 2031-05\nlte 500\n")))
        #expect(life.use(0, "2026-11") == 500 && life.book.ledger.ahead == Month("2031-05"))
        #expect(life.use(5, "2026-11", after: 900) == 505 && life.book.ledger.ahead == nil)
        try life.restart()
        #expect(life.use(5, "2026-11") == 510)
        #expect(life.use(5, "2026-12") == 5)
    }

    /// A clock that falls behind for a while, here from December: earlier usage stays used, and so does usage
    /// in the meantime.
    @Test func aClockThatWasBehindGrantsNothingAnew() throws {
        var life = Life(UsageLedger(month: november))
        #expect(life.use(7, "2026-11") == 7)
        #expect(life.use(500, "2026-12") == 500)
        #expect(life.use(5, "2026-11", after: 86_500) == 512, "at most: it may be November, or December")
        try life.restart()
        #expect(life.use(5, "2026-12") == 510)
    }

    @Test func anOperatorMayCorrectIt() throws {
        var life = Life(try #require(UsageLedger("month 2031-05\nlte 500\nsat 3\n")))
        #expect(life.use(0, "2026-11") == 500)
        life.book.set(40, of: "lte")
        #expect(life.use(1, "2026-11") == 41 && life.book.ledger.used(by: "sat") == 3)
        #expect(life.book.isDue(caps: [("lte", 1000)], now: life.now), "it is saved")
        #expect(life.use(1, "2026-11", after: 900) == 42)
        #expect(life.use(1, "2026-12") == 1)
    }

    @Test func aKillLosesLittle() {
        var book = UsageBook(UsageLedger(month: november), now: .zero)
        let caps: [(path: String, bytes: UInt64)] = [("lte", 10_000_000)]
        func due(_ seconds: Int64) -> Bool { book.isDue(caps: caps, now: .zero + .seconds(seconds)) }
        #expect(!due(10_000), "there is nothing to save")
        _ = book.count(99_999, over: "lte", in: november, now: .zero)
        #expect(!due(29) && !due(599) && due(600))
        _ = book.count(1, over: "lte", in: november, now: .zero)
        #expect(!due(0) && due(1), "one percent")
        _ = book.save(now: .zero + .seconds(1))
        #expect(!due(10_000))
        _ = book.count(100_000, over: "fibre", in: november, now: .zero)
        #expect(!due(30) && due(31), "no cap, but much")
        _ = book.save(now: .zero + .seconds(31))
        _ = book.count(0, over: "fibre", in: december, now: .zero)
        #expect(due(32), "another month")
        _ = book.count(1, over: "fibre", in: december, now: .zero)
        _ = book.save(now: .zero + .seconds(32))
        book.saveFailed()
        #expect(!due(33) && !due(61) && due(632), "nothing much was lost")
        _ = book.count(1_000_000, over: "lte", in: december, now: .zero)
        #expect(!due(33) && due(62), "a disk that fails is left alone for a while")
    }

    @Test func aFileIsReplacedAsAWhole() throws {
        let directory = TemporaryDirectory()
        let file = UsageFile(directory: directory.path + "/state", interface: "bond0")
        #expect(try file.read() == nil)
        var ledger = UsageLedger(month: november)
        for count in UInt64(1)...3 {
            ledger.add(count, to: "lte")
            try file.write(ledger)
            #expect(try file.read() == ledger)
        }
        #expect(access(file.path + ".bondd-new", F_OK) != 0)
        unlink(file.path)
    }

    @Test(arguments: ["", "nonsense", "month 2026-11\nlte x\n", "month 2026-11\nlte 5"])
    func aDamagedFileIsSetAside(text: String) throws {
        let directory = TemporaryDirectory()
        directory.file("bond0.usage", text)
        let file = UsageFile(directory: directory.path, interface: "bond0")
        #expect(throws: HostError.damagedUsage(path: file.path)) { try file.read() }
        #expect(try file.read() == nil)
        #expect(access(file.path + ".bad", F_OK) == 0)
        let sentence = HostError.damagedUsage(path: file.path).description
        #expect(sentence.contains(file.path) && !sentence.contains("\n"))
    }

    /// The old contents stay, and the writer's thread reports the error.
    @Test func whatCannotBeWrittenChangesNothing() throws {
        let directory = TemporaryDirectory()
        let file = UsageFile(directory: directory.path, interface: "bond0")
        var ledger = UsageLedger(month: november)
        ledger.add(5, to: "lte")
        try file.write(ledger)
        mkdir(file.path + ".bondd-new", 0o755)
        let writer = StateWriter(file.path, mode: 0o644)
        var more = ledger
        more.add(5, to: "lte")
        writer.begin(more.bytesOfText)
        let outcome = try #require(writer.takeOutcome(waits: true))
        guard case .file(_, file.path, _) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(!writer.isBusy && writer.takeOutcome() == nil)
        #expect(try file.read() == ledger)
        rmdir(file.path + ".bondd-new")
        writer.begin(more.bytesOfText)
        #expect(writer.isBusy)
        if let problem = try #require(writer.takeOutcome(waits: true)) { Issue.record("\(problem)") }
        #expect(try file.read() == more)
    }
}
