import Host
import Packet
import Scheduler
import Settings

// Paths that are named by their hardware, and the hardware behind names.
extension Daemon {
    /// Finds the interfaces of paths that the file names by MAC address or place, and sees whether a name leads to other
    /// hardware than last time. To be called when links have changed.
    mutating func locateHardware() {
        guard let interfaces = try? netlink.interfaces() else { return }
        let uplinks = Set(hostRoutes.filter { $0.network.length == 0 }.map(\.interface))
        var taken: [String: String] = [:]
        for path in paths {
            guard let hardware = path.configuration.hardware else { continue }
            let found = hardware.find(among: interfaces) { uplinks.contains($0.index) }
            let name = found?.interface.name ?? ""
            if name != path.configuration.interface {
                log(
                    .info, found == nil ? "a path's hardware is gone" : "a path's hardware was found",
                    ["path": path.configuration.name, "interface": name, "hardware": hardware.description])
                path.configuration.interface = name
                path.isKnownToEngine = false
            }
            if found == nil {
                path.concerns[.interface] = "no interface has \(hardware); plug it in, or correct the path"
            } else if let others = found?.others, !others.isEmpty {
                path.concerns[.interface] =
                    "\(hardware) means \(others.joined(separator: " and ")) as well; name more of its place"
            } else if let other = taken[name] {
                path.concerns[.interface] =
                    "\(hardware) means the interface of path \(other); correct one of them"
            } else if path.concerns[.interface] == hardwareConcerns[path.id] {
                path.concerns[.interface] = nil
            }
            hardwareConcerns[path.id] = path.concerns[.interface]
            if found != nil { taken[name] = path.configuration.name }
        }
        compareHardware(interfaces)
    }

    /// Notes which hardware each path's interface is, and which paths that are named by an interface have got another.
    private mutating func compareHardware(_ interfaces: [NetworkInterface]) {
        var now: [String: HardwareLedger.Identity] = [:]
        for path in paths where path.configuration.hardware == nil {
            let interface = interfaces.first { $0.name == path.configuration.interface }
            if let interface { now[interface.name] = HardwareLedger.Identity(interface) }
        }
        let before = hardware.text
        for name in hardware.note(now) {
            let sentence =
                "\(name) leads to other hardware (\(now[name]?.mac ?? "-")) than before, while its role, caps and data use belong to the name; name the path by mac or device instead of interface"
            log(.warning, sentence)
            hardwareNotices[name] = sentence
        }
        guard hardware.text != before else { return }
        _ = hardwareWriter.takeOutcome(waits: true)
        hardwareWriter.begin(Array(hardware.text.utf8))
    }
}
