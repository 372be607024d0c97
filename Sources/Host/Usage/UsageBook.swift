import Packet

/// A ledger with a schedule for saving it: often enough that a crash loses little, rarely enough for a memory
/// card.
package struct UsageBook: Sendable {
    /// Minimum interval between saves.
    static let shortest = Interval.seconds(1)
    /// Interval between saves if there is enough new usage.
    static let usual = Interval.seconds(30)
    /// Interval between saves for the traffic of an idle tunnel.
    static let longest = Interval.seconds(600)
    /// Enough new usage for a save, in bytes.
    static let enough: UInt64 = 100_000

    /// A clock that has shown a month for this long is not behind: NTP sets it within minutes.
    static let settling = Interval.seconds(900)
    /// After this long it is not ahead, either.
    static let forgetting = Interval.seconds(86_400)

    /// The usage counted so far.
    package private(set) var ledger: UsageLedger
    private var saved: UsageLedger
    private var savedAt: Instant
    private var hasFailed = false
    /// When the clock began to show the present month, while the ledger holds another.
    private var shownSince: Instant

    /// A book that continues `ledger`, which matches the file.
    package init(_ ledger: UsageLedger, now: Instant) {
        self.ledger = ledger
        saved = ledger
        savedAt = now
        shownSince = now
    }

    /// Counts `bytes` over the path in `month`, as shown by the clock, and returns the path's usage in that month.
    ///
    /// A clock may slip and be corrected. Usage in months other than the present one is therefore kept for a
    /// while: if the clock goes back to an earlier month, everything counted since counts there, and if it goes
    /// forward again, the later month resumes where it was.
    package mutating func count(
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

    /// Sets the path's usage this month to `bytes`.
    package mutating func set(_ bytes: UInt64, of path: String) { ledger.set(bytes, of: path) }

    /// Whether it is time to save: after 30 s, or after 1 % of a cap.
    /// - Parameter caps: the caps in bytes of the paths that have one.
    package func isDue(caps: [(path: String, bytes: UInt64)], now: Instant) -> Bool {
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
    package mutating func save(now: Instant) -> UsageLedger {
        saved = ledger
        savedAt = now
        hasFailed = false
        return ledger
    }

    /// Notes that the last save failed; the next one is due 30 s after it.
    package mutating func saveFailed() {
        saved = UsageLedger(month: saved.month)
        hasFailed = true
    }
}
