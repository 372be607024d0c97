import Runtime
import Settings

/// The uplinks of a client without paths in its file: settings of those that are gone, and problems of the
/// present ones.
struct UplinkMemory {
    /// The maximum number of interfaces whose settings are remembered.
    private static let capacity = 64

    private var settings: [String: Configuration.Path] = [:]
    /// Why the client has no uplinks, or does not use all.
    var problem = Notices()
    /// The interfaces with a default route that are left out.
    var leftOut = Notices()

    var notices: [String] { problem.list + leftOut.list }

    /// The settings that an interface's path had before the interface disappeared; the defaults for a new
    /// one.
    func settings(of interface: String) -> Configuration.Path {
        settings[interface] ?? Configuration.Path(interface: interface)
    }

    /// Keeps a path's settings for when its interface comes back.
    mutating func remember(_ path: Configuration.Path) {
        guard settings[path.interface] != nil || settings.count < Self.capacity else { return }
        settings[path.interface] = path
    }

    /// Forgets all settings.
    mutating func forget() { settings = [:] }
}
