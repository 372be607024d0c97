import CNetlink
import Glibc

/// Why an operation on the host failed.
package enum HostError: Error, Equatable, CustomStringConvertible {
    /// A file could not be read, written or created: the action, the path, and errno.
    case file(String, path: String, errno: Int32)
    /// A usage file that cannot be read or parsed. It has been set aside.
    case damagedUsage(path: String)
    /// The kernel refused a change of links, addresses or routes: the action, and libnl's error number.
    case netlink(String, code: Int32)
    /// The kernel refused to change or list its nftables: the action, and errno.
    case firewall(String, errno: Int32)
    /// The kernel refused to list or end connections: the action, and errno.
    case conntrack(String, errno: Int32)

    /// An interface with the tunnel's name that does not belong to this bondd: its name, and a description of it.
    case foreignInterface(String, kind: String)
    /// The name servers could not be set or restored: the problem.
    case nameServers(String)

    /// Whether the object to add already exists, which most callers accept.
    package var alreadyThere: Bool {
        if case .netlink(_, let code) = self { code == NLE_EXIST } else { false }
    }

    /// Whether the object to change or remove does not exist (any more).
    package var notThere: Bool {
        guard case .netlink(_, let code) = self else { return false }
        return [NLE_OBJ_NOTFOUND, NLE_NODEV, NLE_NOADDR].contains(code)
    }

    /// Whether the kernel or the interface does not support the IP version.
    package var isLackOfFamily: Bool {
        guard case .netlink(_, let code) = self else { return false }
        return [NLE_NOACCESS, NLE_AF_NOSUPPORT, NLE_OPNOTSUPP].contains(code)
    }

    /// One sentence that says what, where and what to do.
    package var description: String {
        switch self {
        case .file(let action, let path, let code):
            "could not \(action) \(path): \(String(cString: strerror(code)))"
        case .damagedUsage(let path):
            "the usage file \(path) is damaged and was set aside as \(path).bad; this month's data use is counted from 0"
        case .foreignInterface(let name, let kind):
            "the interface \(name) exists and is \(kind), so a kill switch would let traffic out by it; choose another name in [tunnel] interface"
        case .nameServers(let problem): "could not set the host's name servers: \(problem)"
        case .netlink(let action, let code) where code == NLE_PERM || code == NLE_NOACCESS:
            "no permission to \(action); run as root or with CAP_NET_ADMIN"
        case .netlink(let action, let code):
            "could not \(action): \(String(cString: nl_geterror(code)))"
        case .firewall(let action, EPERM), .firewall(let action, EACCES), .conntrack(let action, EPERM):
            "no permission to \(action); run as root or with CAP_NET_ADMIN"
        case .firewall(let action, let code)
        where [ENOENT, EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT].contains(code):
            "could not \(action): this kernel lacks a part of nftables (\(String(cString: strerror(code)))); it needs the modules nf_tables, nft_ct, nft_masq, nft_nat, nft_fib_inet and nft_reject_inet"
        case .firewall(let action, let code):
            "could not \(action): \(String(cString: strerror(code)))"
        case .conntrack(let action, let code):
            "could not \(action) (\(String(cString: strerror(code)))); it needs the kernel module nf_conntrack_netlink"
        }
    }
}
