import Glibc

/// The limit on this process's descriptors.
public enum Descriptors {
    /// Maximum number of forwarded connections for a program started by this process, leaving some descriptors
    /// to spare.
    public static var connections: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return (Int(clamping: limit.rlim_cur) - 300) / 2
    }

    /// Raises the limit to this number, for this process and its children. Without privileges, the hard limit
    /// applies.
    public static func allow(_ count: UInt) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < count else { return }
        var wanted = rlimit(rlim_cur: count, rlim_max: max(count, limit.rlim_max))
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 { return }
        wanted = rlimit(rlim_cur: min(count, limit.rlim_max), rlim_max: limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted)
    }
}
