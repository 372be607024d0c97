import Packet
import Proto
import Runtime

extension Instant {
    /// The time of the Engine and of the whole daemon. It advances while the host is suspended, because keys
    /// age then as well (as with WireGuard's ktime_get_coarse_boottime).
    package static var now: Instant { Instant(nanoseconds: Clock.boottime) }
}

extension Timestamp {
    /// The time since 1970.
    package static var now: Timestamp {
        let time = Clock.wall
        return Timestamp(seconds: time / 1_000_000_000, nanoseconds: UInt32(time % 1_000_000_000))
    }
}
