import Control
import Packet
import Proto
import Tun

/// The TUN device with what was set on it: addresses, MTU, routes. All of it goes with the device.
struct TunnelInterface: ~Copyable {
    let device: TunDevice
    private(set) var mtu: Int
    private(set) var addresses: [CIDR] = []
    private var routes: [CIDR] = []

    /// Makes the device, with its MTU set and up.
    init(name: String, mtu: Int, offload: Bool, netlink: borrowing Netlink) throws {
        let made = try TunDevice(name: name, offloads: offload ? .all : [])
        try netlink.setMTU(mtu, ofInterface: made.index)
        try netlink.setUp(true, interface: made.index)
        device = made
        self.mtu = mtu
    }

    /// Makes the device's addresses, MTU and routes these and no others.
    mutating func apply(
        addresses wanted: [CIDR], mtu wantedMTU: Int, routes wantedRoutes: [CIDR], netlink: borrowing Netlink
    ) throws(ControlError) {
        if wantedMTU != mtu {
            try netlink.setMTU(wantedMTU, ofInterface: device.index)
            mtu = wantedMTU
        }
        for address in addresses where !wanted.contains(address) {
            try netlink.removeAddress(address, fromInterface: device.index)
        }
        for address in wanted where !addresses.contains(address) {
            try netlink.addAddress(address, toInterface: device.index)
        }
        // Removing an address takes routes along, so all of them are looked at when the addresses changed.
        if addresses != wanted { routes = [] }
        addresses = wanted
        for route in routes where !wantedRoutes.contains(route) {
            try netlink.removeRoute(to: route, interface: device.index)
        }
        for route in wantedRoutes where !routes.contains(route) {
            do throws(ControlError) {
                try netlink.addRoute(to: route, interface: device.index)
            } catch  where error.alreadyThere {
                continue
            }
        }
        routes = wantedRoutes
    }
}

extension CIDR {
    /// A default route as two halves, which win over any default route without taking its place; others as they are.
    var halves: [CIDR] {
        guard length == 0 else { return [self] }
        let upper =
            address.family == .v4 ? IPAddress(v4: 1 << 31) : IPAddress(v6High: 1 << 63, low: 0)
        return [CIDR(address, length: 1), CIDR(upper, length: 1)].compactMap { $0 }
    }
}
