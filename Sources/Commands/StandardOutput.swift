@preconcurrency import Glibc
import Runtime

/// Standard output, as used by `print`.
package enum StandardOutput {
    /// Makes it line-buffered, so that stderr does not overtake it in a pipe or a file.
    static func writeLinesAtOnce() { setvbuf(stdout, nil, _IOLBF, 0) }

    /// Flushes buffered output.
    /// - Throws: `Failure` if any of the program's output could not be written.
    package static func finish() throws {
        errno = 0
        let isWritten = fflush(stdout) == 0
        guard isWritten, ferror(stdout) == 0 else {
            let reason = errno == 0 ? "" : ": \(String(cString: strerror(errno)))"
            throw Failure(
                "the output could not be written\(reason); make room or send it elsewhere, and run this again"
            )
        }
    }
}
