import CNetlink
import Glibc

/// Why something that bondd does to or with its host failed. (Configuration files have `ConfigurationError`.)
public enum ControlError: Error, Equatable, CustomStringConvertible {
    /// A file could not be read, written or made: what was to be done, its path, and errno.
    case file(String, path: String, errno: Int32)
    /// A key file that others than its owner can read.
    case keyFileOpen(path: String)
    /// A key file that does not hold 32 bytes in base64.
    case notAKey(path: String)
    /// A key file that exists and is not overwritten.
    case keyFileExists(path: String)
    /// A usage file that can't be read or makes no sense. It was set aside.
    case damagedUsage(path: String)
    /// The kernel refused a change of links, addresses or routes: what it was, and libnl's error number.
    case netlink(String, code: Int32)
    /// A daemon answers on this socket already.
    case alreadyRunning(path: String)
    /// The path of a socket is longer than 107 bytes.
    case socketPathTooLong(path: String)
    /// Something that is no socket is where the socket should be.
    case notASocket(path: String)
    /// No daemon answers on this socket.
    case notRunning(path: String)
    /// The user may not use this socket.
    case socketForbidden(path: String)
    /// The daemon did not answer in time.
    case timedOut(path: String)
    /// The daemon's answer makes no sense.
    case badAnswer(path: String)

    /// Whether what was to be added is there already, which most callers are content with.
    public var alreadyThere: Bool {
        if case .netlink(_, let code) = self { code == NLE_EXIST } else { false }
    }

    /// Whether what was to be changed or removed is not there (any more).
    public var notThere: Bool {
        guard case .netlink(_, let code) = self else { return false }
        return [NLE_OBJ_NOTFOUND, NLE_NODEV, NLE_NOADDR].contains(code)
    }

    /// One sentence that says what, where and what to do.
    public var description: String {
        switch self {
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))"
        case .keyFileOpen(let path):
            "the key file \(path) can be read by others; run: chmod 600 \(path)"
        case .notAKey(let path):
            "the key file \(path) does not hold 32 bytes in base64; make one with: bondd keygen --out FILE"
        case .keyFileExists(let path):
            "the key file \(path) exists and is not overwritten; move it away or name another"
        case .damagedUsage(let path):
            "the usage file \(path) is damaged and was set aside as \(path).bad; this month's data use is counted from 0"
        case .netlink(let action, let code) where code == NLE_PERM || code == NLE_NOACCESS:
            "no permission to \(action); run as root or with CAP_NET_ADMIN"
        case .netlink(let action, let code):
            "could not \(action): \(String(cString: nl_geterror(code)))"
        case .alreadyRunning(let path):
            "another bondd answers on \(path); stop it or set another --socket"
        case .socketPathTooLong(let path):
            "the socket path \(path) is longer than 107 bytes; choose a shorter one"
        case .notASocket(let path):
            "\(path) is in the way and is no socket; move it away or set another --socket"
        case .notRunning(let path):
            "no bondd answers on \(path); start it (bondd run) or name its socket with --socket"
        case .socketForbidden(let path):
            "no permission to use \(path); run as the user that bondd runs as, mostly root"
        case .timedOut(let path):
            "bondd did not answer on \(path) in time; look at its log"
        case .badAnswer(let path):
            "what answers on \(path) is not understood; use the bondd command of the daemon's version"
        }
    }
}
