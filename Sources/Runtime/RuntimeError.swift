import Glibc

/// A refusal by the kernel.
package enum RuntimeError: Error, Equatable, CustomStringConvertible {
    /// A file could not be read, written or created: the action, its path, and errno.
    case file(String, path: String, errno: Int32)
    /// A thread, an eventfd or the like could not be created: its name with an article, and errno.
    case kernel(String, errno: Int32)

    /// The kernel's errno.
    package var code: Int32 {
        switch self {
        case .file(_, _, let code), .kernel(_, let code): code
        }
    }

    /// One sentence that says what, where and what to do.
    package var description: String {
        switch self {
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))\(TextFile.remedy(code))"
        case .kernel(let what, let code):
            "could not create \(what): \(String(cString: strerror(code)))\(Self.remedy(code))"
        }
    }

    private static func remedy(_ code: Int32) -> String {
        switch code {
        case EMFILE: "; raise the limit on open files (LimitNOFILE=, ulimit -n)"
        case EAGAIN: "; raise the limit on threads (TasksMax=, ulimit -u)"
        default: ""
        }
    }
}
