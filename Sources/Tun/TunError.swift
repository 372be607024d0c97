import Glibc

/// Why a TUN device could not be created.
public enum TunError: Error, Equatable, CustomStringConvertible {
    /// The name is empty, longer than 15 bytes, or contains a `/`, a `%`, a space or a colon.
    case badName(String)
    /// An interface of this name exists.
    case nameTaken(String)
    /// The process may not create TUN devices.
    case notPermitted(String)
    /// `/dev/net/tun` is missing.
    case noDriver
    /// Any other error: the interface and the kernel's errno.
    case failed(String, errno: Int32)

    init(errno code: Int32, name: String) {
        switch code {
        case EBUSY, EEXIST, EINVAL: self = .nameTaken(name)
        case EPERM, EACCES: self = .notPermitted(name)
        case ENOENT, ENODEV, ENXIO: self = .noDriver
        default: self = .failed(name, errno: code)
        }
    }

    /// One sentence that says what, where and what to do.
    public var description: String {
        switch self {
        case .badName(let name):
            "\"\(name)\" cannot be an interface's name; use 1 to 15 letters, digits, '-', '_' or '.'"
        case .nameTaken(let name):
            "the interface \(name) exists already and was not changed: it belongs to another bondd or program, or is a "
                + "network card's; stop the other bondd, or set another [tunnel] interface, such as bondd0"
        case .notPermitted(let name):
            "no permission to create the TUN device \(name); run as root or with CAP_NET_ADMIN"
        case .noDriver:
            "/dev/net/tun is missing; load the driver (modprobe tun) or pass the device into the container"
        case .failed(let name, let code):
            "creating the TUN device \(name) failed: \(String(cString: strerror(code)))"
        }
    }
}
