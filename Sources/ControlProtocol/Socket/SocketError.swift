import Glibc

/// Why two programs on this host could not communicate.
package enum SocketError: Error, Equatable, CustomStringConvertible {
    /// The socket's file could not be created or used: the action, its path, and errno.
    case file(String, path: String, errno: Int32)
    /// A daemon already answers on this socket.
    case alreadyRunning(path: String)
    /// The path of a socket is longer than 107 bytes.
    case socketPathTooLong(path: String)
    /// A file that is not a socket is in the socket's place.
    case notASocket(path: String)
    /// No daemon answers on this socket.
    case notRunning(path: String)
    /// The user may not use this socket.
    case socketForbidden(path: String)
    /// Another user's program answers there.
    case impostor(path: String, user: UInt32)
    /// The daemon did not answer in time.
    case timedOut(path: String)
    /// The daemon's answer is invalid.
    case badAnswer(path: String)
    /// The daemon refuses: its sentence.
    case refused(String)
    /// The daemon's answer is to another question.
    case otherVersion(path: String, missing: String)

    /// One sentence that says what, where and what to do.
    package var description: String {
        switch self {
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))"
        case .alreadyRunning(let path):
            "another \(Self.program(path)) answers on \(path); stop it or set another --socket"
        case .socketPathTooLong(let path):
            "the socket path \(path) is longer than 107 bytes; choose a shorter one"
        case .notASocket(let path):
            "\(path) exists and is not a socket; move it away or set another --socket"
        case .notRunning(let path):
            "no \(Self.program(path)) answers on \(path); start it (systemctl start \(Self.program(path)), or \(Self.program(path)) run without systemd) or name its socket with --socket"
        case .socketForbidden(let path):
            "no permission to use \(path); run this as the user of \(Self.program(path)), usually root"
        case .impostor(let path, let user):
            "\(path) belongs to a program of user \(user), which is not \(Self.program(path)); restart \(Self.program(path)), which replaces it"
        case .timedOut(let path):
            "\(Self.program(path)) did not answer on \(path) in time; see journalctl -u \(Self.program(path))"
        case .badAnswer(let path):
            "the answer on \(path) is invalid; use a bondd command of the daemon's version"
        case .refused(let sentence): sentence
        case .otherVersion(let path, let noun):
            "\(Self.program(path)) gave no \(noun); is it another version?"
        }
    }

    /// The program that listens on that socket.
    private static func program(_ path: String) -> String {
        path.hasSuffix("control.sock") || path.contains("/control/") ? "bondd-control" : "bondd"
    }
}
