import Host
import Packet
import Runtime
import Settings
import Tun

/// The TUN device's addresses, MTU and routes in the main table: desired state that is compared with the
/// kernel's after each change and restored, as `HostRouting` does. Switching the device off and on, for example,
/// flushes its IPv6 addresses and its routes. All of it disappears with the device.
struct TunnelInterface {
    /// The state that the interface is to have.
    struct Desired: Equatable {
        var addresses: [CIDR] = []
        /// In bytes.
        var mtu: Int
        /// The networks that the main table routes into the tunnel.
        var routes: [CIDR] = []
    }

    let name: String
    let index: UInt32
    private(set) var desired: Desired
    /// The addresses in force: those desired, without IPv6 if the host lacks it.
    private(set) var addresses: [CIDR] = []
    /// Why the host has no IPv6 for the tunnel, a clause; nil if it has, or the tunnel wants none.
    private var lack: String?
    /// Addresses that bondd has added, and removes once they are no longer desired.
    private var added: Set<CIDR> = []
    /// Desired routes to networks that the host routes elsewhere.
    private var conflicts: [CIDR] = []
    /// IPv6 that is left out.
    private var familyNotice = Notices()

    /// The networks that lead into the tunnel: those of its addresses, and its routes.
    var networks: [CIDR] { addresses.map(\.network) + desired.routes }
    /// In bytes.
    var mtu: Int { desired.mtu }
    var lacksIPv6: Bool { lack != nil }

    /// Checks that the interface can be made, before anything on the host is changed. An interface of that name
    /// that is a network card, or a TUN device in use by another program, is left alone; an unused TUN device is
    /// taken over.
    /// - Throws: `TunError.nameTaken`.
    static func checkFree(_ name: String, _ netlink: borrowing Netlink) throws {
        guard let existing = try netlink.interface(named: name) else { return }
        guard existing.kind == "tun" && !existing.hasCarrier else { throw TunError.nameTaken(name) }
    }

    /// Sets an interface up, with no addresses and routes yet.
    init(name: String, index: UInt32, mtu: Int, _ netlink: borrowing Netlink) throws(HostError) {
        try netlink.setMTU(mtu, ofInterface: index)
        try netlink.setUp(true, interface: index)
        (self.name, self.index) = (name, index)
        desired = Desired(mtu: mtu)
    }

    /// The subset of the addresses whose family the host can use.
    func usable(_ addresses: [CIDR]) -> [CIDR] {
        HostFamilies.lackOfIPv6(interface: name) == nil
            ? addresses : addresses.filter { $0.address.family == .v4 }
    }

    // MARK: - Desired state

    /// Sets the MTU only.
    mutating func setMTU(_ mtu: Int, _ netlink: borrowing Netlink) throws(HostError) {
        guard mtu != desired.mtu else { return }
        try netlink.setMTU(mtu, ofInterface: index)
        desired.mtu = mtu
    }

    /// Makes the kernel's state the desired one.
    /// - Throws: `HostError` with the first change that the kernel refuses.
    mutating func apply(_ wanted: Desired, _ netlink: borrowing Netlink, _ log: Log) throws(HostError) {
        try setMTU(wanted.mtu, netlink)
        let leaving = desired.routes.filter { !wanted.routes.contains($0) }
        desired = wanted
        for route in leaving {
            try Self.tolerating { () throws(HostError) in
                try netlink.removeRoute(to: route, interface: index)
            }
        }
        try repair(netlink, log)
    }

    /// Whether the kernel has the desired addresses and routes. The MTU is the administrator's to change.
    func holds(_ netlink: borrowing Netlink) throws(HostError) -> Bool {
        guard lack == currentLack, conflicts.isEmpty, added.allSatisfy(desired.addresses.contains) else {
            return false
        }
        let present = try netlink.addresses(ofInterface: index)
        guard supported(desired.addresses).allSatisfy(present.contains) else { return false }
        return try missingRoutes(netlink).isEmpty
    }

    /// Restores missing addresses and routes. IPv6 is left out while it is switched off on the host.
    /// - Throws: `HostError` with the first change that the kernel refuses.
    mutating func repair(_ netlink: borrowing Netlink, _ log: Log) throws(HostError) {
        let before = lack
        lack = currentLack
        defer { noteFamily(before, log) }
        for address in added where !desired.addresses.contains(address) {
            try Self.tolerating { () throws(HostError) in
                try netlink.removeAddress(address, fromInterface: index)
            }
            added.remove(address)
        }
        try restoreAddresses(netlink)
        try restoreRoutes(netlink)
    }

    private mutating func restoreAddresses(_ netlink: borrowing Netlink) throws(HostError) {
        let present = try netlink.addresses(ofInterface: index)
        addresses = []
        for address in desired.addresses where lack == nil || address.address.family == .v4 {
            if !present.contains(address) {
                do throws(HostError) {
                    try netlink.addAddress(address, toInterface: index)
                } catch  where error.alreadyThere {
                    // Another program was faster.
                } catch  where address.address.family == .v6 && error.isLackOfFamily {
                    lack = "the kernel refuses IPv6 on \(name)"
                    continue
                }
            }
            added.insert(address)
            addresses.append(address)
        }
    }

    private mutating func restoreRoutes(_ netlink: borrowing Netlink) throws(HostError) {
        conflicts = []
        for route in try missingRoutes(netlink) {
            do throws(HostError) {
                try netlink.addRoute(to: route, interface: index)
            } catch  where error.alreadyThere {
                conflicts.append(route)
            }
        }
    }

    /// The desired routes that the kernel does not have; none while the interface is off, which has no routes.
    private func missingRoutes(_ netlink: borrowing Netlink) throws(HostError) -> [CIDR] {
        guard !desired.routes.isEmpty, try netlink.interface(index: index)?.isUp == true else { return [] }
        let present = Set(
            try netlink.routes(.main(origin: NetworkRoute.staticOrigin)).filter { $0.interface == index }
                .map(\.network))
        let usable = lack == nil ? usable(desired.routes) : supported(desired.routes)
        return usable.filter { !present.contains($0) }
    }

    /// Why the host has no IPv6 for the desired addresses now; nil if it has.
    private var currentLack: String? {
        let wantsIPv6 = desired.addresses.contains { $0.address.family == .v6 }
        return wantsIPv6 ? HostFamilies.lackOfIPv6(interface: name) : nil
    }

    private func supported(_ networks: [CIDR]) -> [CIDR] {
        lack == nil ? networks : networks.filter { $0.address.family == .v4 }
    }

    /// Removes something that may be gone already.
    private static func tolerating(_ removal: () throws(HostError) -> Void) throws(HostError) {
        do throws(HostError) {
            try removal()
        } catch  where error.notThere {
            return
        }
    }

    // MARK: - Problems

    private mutating func noteFamily(_ before: String?, _ log: Log) {
        familyNotice.replace(
            with: lack.map { "\($0), so the tunnel's IPv6 addresses are left out" }, log)
        if before != nil && lack == nil { log(.info, "the tunnel has its IPv6 addresses now") }
    }

    /// Why the tunnel lacks addresses or routes, a sentence each.
    /// - Parameter routes: the host's, to name the interfaces of conflicting ones.
    func problems(_ routes: [NetworkRoute], _ netlink: borrowing Netlink) -> [String] {
        var problems = familyNotice.list
        for network in conflicts {
            let other = routes.first { $0.table == NetworkRoute.mainTable && $0.network == network }
            let name = other.flatMap { try? netlink.interface(index: $0.interface)?.name }
            problems.append(
                "the host has a route to \(network)\(name.map { " through \($0)" } ?? "") already, so it does not lead into the tunnel; remove that one (ip route del \(network)) or take it out of [tunnel] routes"
            )
        }
        return problems
    }
}
