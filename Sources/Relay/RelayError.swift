import Glibc

/// Why services can't be carried in this program.
public enum RelayError: Error, Equatable, CustomStringConvertible {
    /// The kernel refuses what is needed for it: what, and errno.
    case kernel(String, errno: Int32)

    /// One sentence that says what and why.
    public var description: String {
        switch self {
        case .kernel(let action, let code):
            "could not \(action) (\(String(cString: strerror(code)))); services are not carried by this program"
        }
    }
}
