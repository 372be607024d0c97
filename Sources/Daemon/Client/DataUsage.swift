import Host
import Packet
import Runtime
import Settings

/// The usage of a client's paths this month, kept in a file through restarts. A disk that fails or is full is
/// reported once, and bondd continues.
struct DataUsage {
    private var book: UsageBook
    private let writer: StateWriter
    private let log: Log
    private var isFailing = false
    /// Whether there is something that must not wait for its time.
    private var isPressing = false
    private var hasWarned = false
    /// When usage was last looked at.
    var checkedAt = Instant.zero

    /// Continues from the file's content.
    init(_ file: UsageFile, month: Month, log: Log, now: Instant) {
        var ledger = UsageLedger(month: month)
        do throws(HostError) {
            ledger = try file.read() ?? ledger
        } catch {
            log(.warning, error.description)
        }
        book = UsageBook(ledger, now: now)
        writer = StateWriter(file.path, mode: 0o644)
        self.log = log
    }

    /// Reports a clock that is behind the time it has shown before: usage since then counts for the month
    /// that it shows now.
    private mutating func watchClock() {
        guard let ahead = book.ledger.ahead else {
            hasWarned = false
            return
        }
        guard !hasWarned else { return }
        hasWarned = true
        log(
            .warning,
            "data was counted for a month that is yet to come, because the clock was wrong then or is now; it counts for this month; to correct that: bondd set path.NAME.data_used GB",
            ["counted": ahead.description, "clock": book.ledger.month.description])
    }

    /// The month that is counted.
    var month: Month { book.ledger.month }

    /// Counts what has gone over the path, and gives what it has used this month.
    mutating func count(_ bytes: UInt64, over path: String, in month: Month, now: Instant) -> UInt64 {
        defer { watchClock() }
        return book.count(bytes, over: path, in: month, now: now)
    }

    /// Sets the path's usage this month to `bytes`.
    mutating func set(_ bytes: UInt64, of path: String) {
        book.set(bytes, of: path)
        isPressing = true
    }

    /// Saves when it is time to, or `atOnce`.
    mutating func save(caps: [(path: String, bytes: UInt64)], atOnce: Bool = false, now: Instant) {
        takeOutcome()
        isPressing = isPressing || atOnce
        guard !writer.isBusy, isPressing || book.isDue(caps: caps, now: now) else { return }
        isPressing = false
        writer.begin(book.save(now: now).bytesOfText)
    }

    /// Saves what there is and waits for it.
    mutating func close(now: Instant) {
        takeOutcome(waits: true)
        writer.begin(book.save(now: now).bytesOfText)
        takeOutcome(waits: true)
    }

    private mutating func takeOutcome(waits: Bool = false) {
        guard let outcome = writer.takeOutcome(waits: waits) else { return }
        if let error = outcome {
            if !isFailing {
                log(.warning, "the usage file is not kept: \(error); data use is lost with a restart")
            }
        } else if isFailing {
            log(.info, "the usage file is written again")
        }
        isFailing = outcome != nil
        if isFailing { book.saveFailed() }
    }
}
