import Glibc
import Runtime

/// Why a small file could not be read or created. (Configuration files have `ConfigurationError`.)
package enum SettingsError: Error, Equatable, CustomStringConvertible {
    /// A file could not be read, written or created: the action, the path, and errno.
    case file(String, path: String, errno: Int32)
    /// A key file that users other than its owner can read.
    case keyFileOpen(path: String)
    /// A key file that does not hold 32 bytes in base64.
    case notAKey(path: String)
    /// A key file that already exists, which is never overwritten.
    case keyFileExists(path: String)

    /// One sentence that says what, where and what to do.
    package var description: String {
        switch self {
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))\(TextFile.remedy(code))"
        case .keyFileOpen(let path):
            "the key file \(path) can be read by others; run: chmod 600 \(path)"
        case .notAKey(let path):
            "the key file \(path) does not hold 32 bytes in base64; make one with: bondd keygen --out FILE"
        case .keyFileExists(let path):
            "the key file \(path) exists and is not overwritten; move it away or name another"
        }
    }
}
