import Glibc
import Settings

/// What an uplink is made of, in the order in which they are preferred when nothing else tells them apart.
public enum Medium: Int, Comparable, Sendable {
    case wired, wifi, cellular

    /// Whether `a` is preferred.
    public static func < (a: Medium, b: Medium) -> Bool { a.rawValue < b.rawValue }

    /// What an interface is made of; wired when nothing says otherwise.
    /// - Parameter classes: where the kernel describes interfaces.
    public init(_ interface: NetworkInterface, classes: String = "/sys/class/net") {
        let directory = "\(classes)/\(interface.name)"
        let event = (try? TextFile.read("\(directory)/uevent", limit: 65536)) ?? ""
        let type = event.split(separator: "\n").first { $0.hasPrefix("DEVTYPE=") }?.dropFirst(8)
        func has(_ file: String) -> Bool { access("\(directory)/\(file)", F_OK) == 0 }
        if type == "wwan" || ["wwan", "rmnet", "ppp"].contains(interface.kind)
            || Self.cellularHardware.contains(interface.hardware)
        {
            self = .cellular
        } else if type == "wlan" || has("wireless") || has("phy80211") {
            self = .wifi
        } else {
            self = .wired
        }
    }

    /// ARPHRD_PPP and ARPHRD_RAWIP, which modems have.
    private static let cellularHardware: [UInt16] = [512, 519]
}
