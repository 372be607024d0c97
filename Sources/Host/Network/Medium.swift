import Glibc
import Runtime
import Settings

/// The medium of an uplink, in order of preference if nothing else distinguishes uplinks.
package enum Medium: Int, Comparable, Sendable {
    case wired, wifi, cellular

    /// Whether `a` is preferred.
    package static func < (a: Medium, b: Medium) -> Bool { a.rawValue < b.rawValue }

    /// The medium of an interface; wired if nothing indicates otherwise.
    /// - Parameters:
    ///   - classes: the directory where the kernel describes interfaces.
    ///   - sessions: the file where it lists PPPoE sessions.
    package init(
        _ interface: NetworkInterface, classes: String = "/sys/class/net",
        sessions: String = "/proc/thread-self/net/pppoe"
    ) {
        let directory = "\(classes)/\(interface.name)"
        let event = (try? TextFile.read("\(directory)/uevent", limit: 65536)) ?? ""
        let type = event.split(separator: "\n").first { $0.hasPrefix("DEVTYPE=") }?.dropFirst(8)
        func has(_ file: String) -> Bool { access("\(directory)/\(file)", F_OK) == 0 }
        let isPPP = interface.kind == "ppp" || interface.hardware == Self.ppp
        if isPPP && Self.isOverEthernet(interface, sessions) {
            self = .wired
        } else if type == "wwan" || ["wwan", "rmnet", "ppp"].contains(interface.kind)
            || Self.cellularHardware.contains(interface.hardware)
        {
            self = .cellular
        } else if type == "wlan" || has("wireless") || has("phy80211") {
            self = .wifi
        } else {
            self = .wired
        }
    }

    /// Whether a PPP interface is PPPoE, as on DSL and fiber, rather than a modem's. The kernel lists sessions
    /// without the interface's name; PPPoE takes 8 of Ethernet's 1500 bytes (RFC 2516), a modem none.
    private static func isOverEthernet(_ interface: NetworkInterface, _ sessions: String) -> Bool {
        if interface.name.hasPrefix("pppoe") { return true }
        // A header line, then a line for each session.
        let lines = (try? TextFile.read(sessions, limit: 65536))?.split(separator: "\n").count ?? 0
        return lines > 1 && interface.mtu <= 1492
    }

    /// ARPHRD_PPP
    private static let ppp: UInt16 = 512
    /// ARPHRD_PPP and ARPHRD_RAWIP, used by modems.
    private static let cellularHardware: [UInt16] = [512, 519]
}
