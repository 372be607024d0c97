import Packet
import Proto

/// This end's wish for how the peer sends to it, until the peer has acknowledged it; and the acknowledgement of
/// the peer's wish.
struct ShapingExchange {
    /// The wish is repeated after this time, then after twice as long, up to `longestPause`: an earlier version
    /// never acknowledges it.
    private static let firstPause = Interval.milliseconds(500)
    private static let longestPause = Interval.seconds(60)
    /// Minimum interval between wishes of the peer that are taken: each moves all packets that wait.
    private static let shortestInterval = Interval.milliseconds(100)

    private var wish = ShapingFrame(revision: 0)
    /// When the wish is sent (again); `.never` without one.
    private(set) var due = Instant.never
    private var pause = firstPause
    private var acknowledgement: UInt8?
    private var takenAt = Instant.never

    /// Whether a frame is due now.
    func isAny(now: Instant) -> Bool { due <= now || acknowledgement != nil }

    /// Wishes for this from now on.
    mutating func wish(rate: UInt32, classes: [ServiceClass]) {
        guard rate != wish.rate || classes != wish.classes else { return }
        wish = ShapingFrame(revision: wish.revision &+ 1, rate: rate, classes: classes)
        (due, pause) = (.zero, Self.firstPause)
    }

    /// The peer has acknowledged the wish of that revision.
    mutating func acknowledged(_ revision: UInt8) { if revision == wish.revision { due = .never } }

    /// Whether to look at a wish of the peer now.
    mutating func mayTake(now: Instant) -> Bool {
        guard takenAt == .never || now - takenAt >= Self.shortestInterval else { return false }
        takenAt = now
        return true
    }

    /// The peer's wish of that revision is in force.
    mutating func took(_ revision: UInt8) { acknowledgement = revision }

    /// Writes the frames that are due.
    mutating func compose(_ writer: inout FrameWriter, now: Instant) {
        if let revision = acknowledgement, writer.append(shapingTaken: revision) { acknowledgement = nil }
        guard due <= now, writer.append(wish) else { return }
        due = now + pause
        pause = min(pause * 2, Self.longestPause)
    }
}
