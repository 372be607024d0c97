import Glibc

/// The clock that only grows.
public enum Monotonic {
    /// Seconds since the machine started.
    public static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
