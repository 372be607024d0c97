import Glibc

/// The descriptors of this process.
enum Descriptors {
    /// The number of open descriptors.
    static var count: Int {
        guard let directory = opendir("/proc/self/fd") else { return -1 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Neither ".", "..", nor the directory's own.
        return count - 3
    }

    /// Limits the process to that many.
    static func limit(to count: Int) {
        var limit = rlimit(rlim_cur: rlim_t(count), rlim_max: rlim_t(count))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
