import Glibc

/// How many descriptors this process may have.
public enum Descriptors {
    /// How many connections from one socket to another a program that this process starts may have, with some descriptors to spare.
    public static var connections: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return (Int(clamping: limit.rlim_cur) - 300) / 2
    }

    /// Asks for as many, for this process and those it starts. Without privilege, the host's limit is the most.
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
