import Control
import Packet
import Settings

/// What a client's paths have used this month, kept in a file through restarts. Disks fail and fill up, which is said once
/// and is no reason to stop.
struct DataUsage {
    private var book: UsageBook
    private let writer: StateWriter
    private let log: Log
    private var isFailing = false
    /// Whether there is something that must not wait for its time.
    private var isPressing = false
    /// When usage was last looked at.
    var checkedAt = Instant.zero

    /// Goes on with what the file says.
    init(_ file: UsageFile, month: Month, log: Log, now: Instant) {
        var ledger = UsageLedger(month: month)
        do throws(ControlError) {
            ledger = try file.read() ?? ledger
        } catch {
            log(.warning, error.description)
        }
        if ledger.month > month.next {
            log(
                .warning,
                "\(file.path) counts a month that is far ahead; set the clock, or remove the file to count anew",
                ["counts": ledger.month.description, "clock": month.description])
        }
        book = UsageBook(ledger, now: now)
        writer = StateWriter(file.path, mode: 0o644)
        self.log = log
    }

    /// The month that is counted.
    var month: Month { book.ledger.month }

    /// Counts what has gone over the path, and gives what it has used this month.
    mutating func count(_ bytes: UInt64, over path: String, in month: Month) -> UInt64 {
        book.count(bytes, over: path, in: month)
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
