import Glibc

/// Why an operation of bondd-control failed.
package enum ControlError: Error, Equatable, CustomStringConvertible {
    /// The state's file or directory could not be created, read or written: its path, and the reason.
    case unusable(path: String, String)
    /// The disk with the state is full.
    case diskFull(path: String)
    /// The state's file is damaged or not a state: its path, and SQLite's message.
    case damaged(path: String, String)
    /// The state was written by a later version of bondd-control.
    case newer(path: String)
    /// A bondd-control is using the state: its directory, and what to do instead.
    case running(directory: String, String)
    /// A file could not be created, read or written: the action, its path, and errno.
    case file(String, path: String, errno: Int32)
    /// A request that cannot be fulfilled: the sentence.
    case refused(String)

    /// One sentence that says what, where and what to do.
    package var description: String {
        switch self {
        case .unusable(let path, let reason):
            "the state \(path) cannot be used: \(reason); tunnels keep running, but nothing can be stored until this is fixed"
        case .diskFull(let path):
            "the disk with \(path) is full; tunnels keep running, but nothing can be stored until space is freed"
        case .damaged(let path, let reason):
            "the state \(path) is damaged (\(reason)); restore a backup with: bondd-control restore FILE"
        case .newer(let path):
            "the state \(path) was written by a newer bondd-control; update this one, or restore an older backup with: bondd-control restore FILE"
        case .running(let directory, let instead):
            "a bondd-control is using the state in \(directory); \(instead)"
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))"
        case .refused(let sentence): sentence
        }
    }
}
