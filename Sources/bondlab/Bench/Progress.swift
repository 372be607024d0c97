import Glibc

/// Progress messages of a bench on stderr: stdout is for the report.
enum Progress {
    /// Writes a line.
    static func tell(_ text: String) {
        let line = text + "\n"
        _ = write(2, line, line.utf8.count)
    }
}
