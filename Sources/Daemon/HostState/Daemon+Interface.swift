import Host
import Tun

extension Daemon {
    /// Makes sure that the tunnel's interface can be made, before anything of the host is changed. An interface of that name
    /// that is a network card, or a TUN device in use by another program, is left alone; an unused TUN device is taken over.
    /// - Throws: `TunError.nameTaken`.
    static func checkFree(_ interface: String, _ netlink: borrowing Netlink) throws {
        guard let existing = try netlink.interface(named: interface) else { return }
        guard existing.kind == "tun" && !existing.hasCarrier else { throw TunError.nameTaken(interface) }
    }
}
