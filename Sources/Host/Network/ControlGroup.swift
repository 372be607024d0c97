import Glibc
import Runtime

/// A control group of the unified hierarchy (cgroups(7), version 2), as nftables knows it. A group that is
/// removed and made again, as systemd does when a service restarts, has another number.
package struct ControlGroup: Hashable, Sendable {
    /// Its number: the inode of its directory.
    package let number: UInt64
    /// Its depth in the hierarchy; that of the root is 0.
    package let level: UInt32

    /// The group at `path` below the root, without the first slash; nil if there is none.
    /// - Parameter root: where the hierarchy is mounted.
    package init?(path: String, root: String = ControlGroup.root) {
        var status = stat()
        guard stat("\(root)/\(path)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        number = UInt64(status.st_ino)
        level = UInt32(clamping: path.split(separator: "/").count)
    }

    /// Where the hierarchy is mounted: the first cgroup2 of /proc/self/mounts, or where systemd mounts it.
    package static let root: String = {
        let mounts = (try? TextFile.read("/proc/self/mounts", limit: 1 << 20)) ?? ""
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 2, fields[2] == "cgroup2" { return String(fields[1]) }
        }
        return "/sys/fs/cgroup"
    }()
}
