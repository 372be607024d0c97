import Control
import Packet
import Proto
import Settings
import Tun

/// What was set on the TUN device: addresses, MTU, routes into it in the main table. All of it goes with the device.
struct TunnelInterface {
    let name: String
    let index: UInt32
    private(set) var mtu: Int
    private(set) var addresses: [CIDR] = []
    private var routes: [CIDR] = []

    /// What is led into it: its addresses' networks and its routes.
    var networks: [CIDR] { addresses.map(\.network) + routes }

    /// Sets the device's MTU, and it up.
    init(_ device: borrowing TunDevice, mtu: Int, netlink: borrowing Netlink) throws {
        try netlink.setMTU(mtu, ofInterface: device.index)
        try netlink.setUp(true, interface: device.index)
        name = device.name
        index = device.index
        self.mtu = mtu
    }

    /// Sets the device's MTU.
    mutating func setMTU(_ wanted: Int, netlink: borrowing Netlink) throws(ControlError) {
        guard wanted != mtu else { return }
        try netlink.setMTU(wanted, ofInterface: index)
        mtu = wanted
    }

    /// Makes the device's addresses, MTU and routes these and no others.
    mutating func apply(
        addresses wanted: [CIDR], mtu wantedMTU: Int, routes wantedRoutes: [CIDR], netlink: borrowing Netlink
    ) throws(ControlError) {
        try setMTU(wantedMTU, netlink: netlink)
        for address in addresses where !wanted.contains(address) {
            try netlink.removeAddress(address, fromInterface: index)
        }
        for address in wanted where !addresses.contains(address) {
            try netlink.addAddress(address, toInterface: index)
        }
        // Removing an address takes routes along, so all of them are looked at when the addresses changed.
        if addresses != wanted { routes = [] }
        addresses = wanted
        for route in routes where !wantedRoutes.contains(route) {
            try netlink.removeRoute(to: route, interface: index)
        }
        for route in wantedRoutes where !routes.contains(route) {
            do throws(ControlError) {
                try netlink.addRoute(to: route, interface: index)
            } catch  where error.alreadyThere {
                continue
            }
        }
        routes = wantedRoutes
    }
}
