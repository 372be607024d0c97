import Glibc

/// Why bondd-control could not do something.
public enum ControlError: Error, Equatable, CustomStringConvertible {
    /// The state's file or directory could not be made, read or written: its path, and why.
    case unusable(path: String, String)
    /// The disk with the state is full.
    case diskFull(path: String)
    /// What is in the state's file is no state, or not whole: its path, and what SQLite says of it.
    case damaged(path: String, String)
    /// A later version of bondd-control has written the state.
    case newer(path: String)
    /// A bondd-control has the state: its directory, and what to do instead.
    case running(directory: String, String)
    /// A file could not be made, read or written: what was to be done, its path, and errno.
    case file(String, path: String, errno: Int32)
    /// What was asked for cannot be: the sentence.
    case refused(String)

    /// One sentence that says what, where and what to do.
    public var description: String {
        switch self {
        case .unusable(let path, let reason):
            "the state \(path) cannot be used: \(reason); tunnels go on, but nothing can be stored until that is put right"
        case .diskFull(let path):
            "the disk with \(path) is full; tunnels go on, but nothing can be stored until there is room"
        case .damaged(let path, let reason):
            "the state \(path) is damaged (\(reason)); put a backup back with: bondd-control restore FILE"
        case .newer(let path):
            "the state \(path) is of a newer bondd-control; update this one, or put an older backup back with: bondd-control restore FILE"
        case .running(let directory, let instead):
            "a bondd-control runs on the state in \(directory); \(instead)"
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))"
        case .refused(let sentence): sentence
        }
    }
}
