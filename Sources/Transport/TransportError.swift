import Glibc
import Packet

/// Why a UDP socket could not be created.
public enum TransportError: Error, Equatable, CustomStringConvertible {
    /// There is no interface with this name.
    case noInterface(String)
    /// Another socket uses the address and port.
    case addressInUse(Endpoint)
    /// The address is not one of this host's.
    case addressNotHere(Endpoint)
    /// The process lacks a capability for what is named.
    case notPermitted(String)
    /// The process may not bind a port below 1024 (net.ipv4.ip_unprivileged_port_start).
    case portNotPermitted(Endpoint)
    /// A system call failed: the action and its errno.
    case failed(String, errno: Int32)

    /// One sentence that says what, where and what to do.
    public var description: String {
        switch self {
        case .noInterface(let name):
            "there is no interface \(name) to bind a socket to; correct the name or wait until it appears"
        case .addressInUse(let endpoint):
            "UDP \(endpoint) is in use; stop the program that uses it (ss -lunp) or set another port"
        case .addressNotHere(let endpoint):
            "UDP \(endpoint) cannot be bound because this host does not have that address; correct it or add it"
        case .notPermitted(let what):
            "no permission to \(what); run as root or with CAP_NET_ADMIN and CAP_NET_RAW"
        case .portNotPermitted(let endpoint):
            "no permission to bind UDP \(endpoint), a port below 1024; run as root or with "
                + "CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities= and CapabilityBoundingSet=), or use another port"
        case .failed(let what, let code):
            "could not \(what): \(String(cString: strerror(code)))"
        }
    }
}
