import Packet

/// A ledger, and when it is to be saved: often enough that a kill loses little, seldom enough for a memory card.
public struct UsageBook: Sendable {
    /// Never oftener than this.
    static let shortest = Interval.seconds(1)
    /// After this long, if there is enough to save.
    static let usual = Interval.seconds(30)
    /// What keeping an idle tunnel open takes is saved this often.
    static let longest = Interval.seconds(600)
    /// That much is enough, in bytes.
    static let enough: UInt64 = 100_000

    /// A clock that has shown a month for so long is not behind: NTP sets one within minutes.
    static let settling = Interval.seconds(900)
    /// Nor is it ahead, after so long.
    static let forgetting = Interval.seconds(86_400)

    /// What is counted.
    public private(set) var ledger: UsageLedger
    private var saved: UsageLedger
    private var savedAt: Instant
    private var hasFailed = false
    /// Since when the clock shows the present month, while another is in the ledger.
    private var shownSince: Instant

    /// A book that goes on with `ledger`, which is what the file has.
    public init(_ ledger: UsageLedger, now: Instant) {
        self.ledger = ledger
        saved = ledger
        savedAt = now
        shownSince = now
    }

    /// Counts `bytes` over the path in `month`, which the clock shows, and gives what it has used since that began.
    ///
    /// A clock may slip and be set again. So what was used in other months than the one it shows is kept for a while: when it goes
    /// back to an earlier month, all that was counted since counts there, and when it goes forward again, the later month goes on
    /// where it was.
    public mutating func count(
        _ bytes: UInt64, over path: String, in month: Month, now: Instant
    ) -> UInt64 {
        let before = ledger.month
        ledger.turn(to: month)
        if ledger.month != before { shownSince = now }
        if ledger.hasOthers {
            if now - shownSince >= Self.settling { ledger.settle() }
            if now - shownSince >= Self.forgetting { ledger.forgetEarlier() }
        }
        if bytes > 0 { ledger.add(bytes, to: path) }
        return ledger.used(by: path)
    }

    /// Takes `bytes` for what the path has used this month.
    public mutating func set(_ bytes: UInt64, of path: String) { ledger.set(bytes, of: path) }

    /// Whether it is time to save: after 30 s, or 1 % of a cap.
    /// - Parameter caps: the paths' caps in bytes, of those that have one.
    public func isDue(caps: [(path: String, bytes: UInt64)], now: Instant) -> Bool {
        let age = now - savedAt
        guard ledger != saved, age >= (hasFailed ? Self.usual : Self.shortest) else { return false }
        if ledger.month != saved.month || age >= Self.longest { return true }
        let hasMuch = caps.contains { path, bytes in
            let (used, known) = (ledger.used(by: path), saved.used(by: path))
            return used < known || used - known >= max(bytes / 100, 1)
        }
        return hasMuch || age >= Self.usual && ledger.total &- saved.total >= Self.enough
    }

    /// The ledger to save now.
    public mutating func save(now: Instant) -> UsageLedger {
        saved = ledger
        savedAt = now
        hasFailed = false
        return ledger
    }

    /// The last save came to nothing: another is due 30 s after it.
    public mutating func saveFailed() {
        saved = UsageLedger(month: saved.month)
        hasFailed = true
    }
}
