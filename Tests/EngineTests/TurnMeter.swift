import Glibc
import Packet

/// The CPU time of a node's turns: the Engine's work for one datagram, or for one deadline. As it is the
/// thread's own time, a busy machine does not matter.
final class TurnMeter {
    /// The longest turn.
    private(set) var longest = Interval.zero
    /// All turns together.
    private(set) var total = Interval.zero
    /// The number of turns.
    private(set) var count = 0

    private var turn = Interval.zero
    private var begun = Instant.zero

    private static var cpu: Instant {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    func begin() { begun = Self.cpu }
    func pause() { turn = turn + (Self.cpu - begun) }

    func finishTurn() {
        longest = max(longest, turn)
        total = total + turn
        turn = .zero
        count += 1
    }
}
