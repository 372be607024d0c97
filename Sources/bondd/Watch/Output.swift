import Glibc

/// Standard output, unbuffered.
enum Output {
    /// Writes the whole text; false if the reader is gone.
    static func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var watched = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&watched, 1, 1000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
