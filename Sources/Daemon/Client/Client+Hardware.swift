import Host
import Packet
import Scheduler
import Settings

// Paths that are named by their hardware, and the hardware behind the names of others.
extension Client {
    /// Finds the interfaces of paths that the file names by MAC address or port, and detects names that lead
    /// to other hardware than last time. Called when links have changed.
    func locateHardware() {
        guard let interfaces = try? shared.netlink.interfaces() else { return }
        let uplinks = Set(hostRoutes.list.filter { $0.network.length == 0 }.map(\.interface))
        var taken: [String: String] = [:]
        for path in paths {
            guard let hardware = path.configuration.hardware else { continue }
            let found = hardware.find(among: interfaces) { uplinks.contains($0.index) }
            let name = found?.interface.name ?? ""
            if name != path.configuration.interface {
                shared.log(
                    .info, found == nil ? "a path's hardware is gone" : "a path's hardware was found",
                    ["path": path.configuration.name, "interface": name, "hardware": hardware.description])
                path.configuration.interface = name
                path.isKnownToEngine = false
            }
            let note: String? =
                if found == nil {
                    "no interface has \(hardware); plug it in, or correct the path"
                } else if let others = found?.others, !others.isEmpty {
                    "\(hardware) means \(others.joined(separator: " and ")) as well; give more of its device path"
                } else {
                    taken[name].map {
                        "\(hardware) means the interface of path \($0); correct one of them"
                    }
                }
            path.concerns[.hardware] = note
            if found != nil { taken[name] = path.configuration.name }
        }
        compareHardware(interfaces)
    }

    /// Notes the hardware behind each path's interface, and the paths that are named by an interface which
    /// has other hardware now.
    private func compareHardware(_ interfaces: [NetworkInterface]) {
        var now: [String: HardwareLedger.Identity] = [:]
        for path in paths where path.configuration.hardware == nil {
            let interface = interfaces.first { $0.name == path.configuration.interface }
            if let interface { now[interface.name] = HardwareLedger.Identity(interface) }
        }
        hardware.compare(now, shared.log)
    }
}
