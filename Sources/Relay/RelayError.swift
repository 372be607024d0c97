import Glibc

/// Why services cannot be carried in this program.
public enum RelayError: Error, Equatable, CustomStringConvertible {
    /// The kernel refused a required resource: the action, and errno.
    case kernel(String, errno: Int32)

    /// One sentence with the action and the reason.
    public var description: String {
        switch self {
        case .kernel(let action, let code):
            "could not \(action) (\(String(cString: strerror(code)))); services are not carried by this program"
        }
    }
}
