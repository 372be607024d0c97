import Host
import Packet
import Runtime
import Settings

/// The data that a client's paths have used this month, kept in a file across restarts. A disk that fails or
/// is full is reported once, and bondd continues.
struct DataUsage {
    private var book: UsageBook
    private let writer: StateWriter
    private let log: Log
    private var isFailing = false
    /// Whether a change must be saved before it is due.
    private var isPressing = false
    private var hasWarned = false
    /// When usage was last counted.
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

    /// Reports a clock that has gone back: usage since then counts for the month that it shows now.
    private mutating func watchClock() {
        guard let ahead = book.ledger.ahead else {
            hasWarned = false
            return
        }
        guard !hasWarned else { return }
        hasWarned = true
        log(
            .warning,
            "data was counted for a future month, because the clock was wrong then or is now; it counts for this month; to correct it: bondd set path.NAME.data_used GB",
            ["counted": ahead.description, "clock": book.ledger.month.description])
    }

    /// The month that is counted.
    var month: Month { book.ledger.month }

    /// Counts bytes that a path has carried.
    mutating func count(_ bytes: UInt64, over path: String, in month: Month, now: Instant) -> UInt64 {
        defer { watchClock() }
        return book.count(bytes, over: path, in: month, now: now)
    }

    /// Sets the path's usage this month to `bytes`.
    mutating func set(_ bytes: UInt64, of path: String) {
        book.set(bytes, of: path)
        isPressing = true
    }

    /// Saves if that is due, or `atOnce`.
    mutating func save(caps: [(path: String, bytes: UInt64)], atOnce: Bool = false, now: Instant) {
        takeOutcome()
        isPressing = isPressing || atOnce
        guard !writer.isBusy, isPressing || book.isDue(caps: caps, now: now) else { return }
        isPressing = false
        writer.begin(book.save(now: now).bytesOfText)
    }

    /// Saves the usage, and waits for the disk.
    mutating func close(now: Instant) {
        takeOutcome(waits: true)
        writer.begin(book.save(now: now).bytesOfText)
        takeOutcome(waits: true)
    }

    private mutating func takeOutcome(waits: Bool = false) {
        guard let outcome = writer.takeOutcome(waits: waits) else { return }
        if let error = outcome {
            if !isFailing {
                log(.warning, "data use can't be saved and is lost with a restart: \(error)")
            }
        } else if isFailing {
            log(.info, "data use is saved again")
        }
        isFailing = outcome != nil
        if isFailing { book.saveFailed() }
    }
}
