import Host
import Packet
import Proto
import Settings
import Tun

/// The TUN device's addresses, MTU and routes in the main table. As with `HostRouting`, the desired state is
/// compared with the kernel's after each change and mended: switching the device off and on, for example,
/// flushes its IPv6 addresses and its routes. All of it goes with the device.
struct TunnelInterface {
    let name: String
    let index: UInt32
    private(set) var mtu: Int
    /// The addresses that it has, without those of a family that the host lacks.
    private(set) var addresses: [CIDR] = []
    /// Why the host has no IPv6 for the tunnel, a clause; nil when it has, or the tunnel has none.
    private(set) var lack: String?
    /// The routes that the host has in a place where the tunnel's would be.
    private(set) var conflicts: [CIDR] = []

    private var wanted: [CIDR] = []
    private(set) var routes: [CIDR] = []
    /// Addresses that were set here and may have to be removed.
    private var set: Set<CIDR> = []

    /// The networks that lead into it: its addresses' and its routes.
    var networks: [CIDR] { addresses.map(\.network) + routes }

    /// Makes sure that the interface can be made, before anything of the host is changed. An interface of
    /// that name that is a network card, or a TUN device in use by another program, is left alone; an unused
    /// TUN device is taken over.
    /// - Throws: `TunError.nameTaken`.
    static func checkFree(_ name: String, _ netlink: borrowing Netlink) throws {
        guard let existing = try netlink.interface(named: name) else { return }
        guard existing.kind == "tun" && !existing.hasCarrier else { throw TunError.nameTaken(name) }
    }

    /// Sets the device's MTU, and it up.
    init(_ device: borrowing TunDevice, mtu: Int, netlink: borrowing Netlink) throws {
        try netlink.setMTU(mtu, ofInterface: device.index)
        try netlink.setUp(true, interface: device.index)
        name = device.name
        index = device.index
        self.mtu = mtu
    }

    /// Sets the device's MTU.
    mutating func setMTU(_ wanted: Int, netlink: borrowing Netlink) throws(HostError) {
        guard wanted != mtu else { return }
        try netlink.setMTU(wanted, ofInterface: index)
        mtu = wanted
    }

    /// Those of the addresses whose family the host can use.
    func usable(_ addresses: [CIDR]) -> [CIDR] {
        HostFamilies.lackOfIPv6(interface: name) == nil
            ? addresses : addresses.filter { $0.address.family == .v4 }
    }

    /// Makes the device's addresses, MTU and routes these and no others.
    mutating func apply(
        addresses wanted: [CIDR], mtu wantedMTU: Int, routes wantedRoutes: [CIDR],
        netlink: borrowing Netlink
    ) throws(HostError) {
        try setMTU(wantedMTU, netlink: netlink)
        let leaving = routes.filter { !wantedRoutes.contains($0) }
        (self.wanted, routes) = (wanted, wantedRoutes)
        for route in leaving {
            try Self.tolerating { () throws(HostError) in
                try netlink.removeRoute(to: route, interface: index)
            }
        }
        try mend(netlink)
    }

    /// Restores missing addresses and routes. IPv6 is left out while it is switched off on the host.
    /// - Throws: `HostError` with the first thing that the kernel refuses.
    mutating func mend(_ netlink: borrowing Netlink) throws(HostError) {
        let has6 = wanted.contains { $0.address.family == .v6 }
        lack = has6 ? HostFamilies.lackOfIPv6(interface: name) : nil
        let present = try netlink.addresses(ofInterface: index)
        for address in set where !wanted.contains(address) {
            try Self.tolerating { () throws(HostError) in
                try netlink.removeAddress(address, fromInterface: index)
            }
            set.remove(address)
        }
        addresses = []
        for address in wanted where lack == nil || address.address.family == .v4 {
            if !present.contains(address) {
                do throws(HostError) {
                    try netlink.addAddress(address, toInterface: index)
                } catch  where error.alreadyThere {
                    // It came meanwhile.
                } catch  where address.address.family == .v6 && error.isLackOfFamily {
                    lack = "the kernel refuses IPv6 on \(name)"
                    continue
                }
            }
            set.insert(address)
            addresses.append(address)
        }
        try mendRoutes(netlink)
    }

    private mutating func mendRoutes(_ netlink: borrowing Netlink) throws(HostError) {
        conflicts = []
        guard !routes.isEmpty, try netlink.interface(index: index)?.isUp == true else { return }
        let present = try netlink.routes(.main(origin: NetworkRoute.staticOrigin)).filter {
            $0.interface == index
        }
        let has6 = lack == nil && HostFamilies.lackOfIPv6(interface: name) == nil
        for route in routes where !present.contains(where: { $0.network == route }) {
            guard has6 || route.address.family == .v4 else { continue }
            do throws(HostError) {
                try netlink.addRoute(to: route, interface: index)
            } catch  where error.alreadyThere {
                conflicts.append(route)
            }
        }
    }

    /// Removes something that may be gone already.
    private static func tolerating(_ removal: () throws(HostError) -> Void) throws(HostError) {
        do throws(HostError) {
            try removal()
        } catch  where error.notThere {
            return
        }
    }
}
