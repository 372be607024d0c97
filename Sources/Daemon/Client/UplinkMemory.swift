import Runtime
import Settings

/// Which uplinks a client without paths in its file has known, and what is wrong with those that there are.
struct UplinkMemory {
    /// The maximum number of interfaces whose settings are remembered.
    private static let capacity = 64

    private var settings: [String: Configuration.Path] = [:]
    /// Why there are no uplinks, or not all are used.
    var problem = Notices()
    /// The interfaces with a default route that are left out.
    var leftOut = Notices()

    var notices: [String] { problem.list + leftOut.list }

    /// What was set of an interface's path before the interface went; the defaults for one that is new.
    func settings(of interface: String) -> Configuration.Path {
        settings[interface] ?? Configuration.Path(interface: interface)
    }

    /// Keeps what was set of a path for when its interface comes back.
    mutating func remember(_ path: Configuration.Path) {
        guard settings[path.interface] != nil || settings.count < Self.capacity else { return }
        settings[path.interface] = path
    }

    /// Forgets all settings.
    mutating func forget() { settings = [:] }
}
