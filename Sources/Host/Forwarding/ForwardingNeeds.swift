import Runtime
import Settings

extension Netlink {
    /// Interface kinds that usually have other hosts behind them: containers, virtual machines, VPN peers, dial-in users.
    private static var forwardingKinds: Set<String> {
        [
            "bridge", "tun", "wireguard", "ppp", "openvswitch", "vti", "vti6", "xfrm", "gre", "ip6gre",
            "ipip", "sit", "l2tpeth",
        ]
    }
    /// ARPHRD_PPP, for PPP interfaces without a kind.
    private static var pppType: UInt16 { 512 }
    /// ARPHRD_ETHER
    private static var ethernetType: UInt16 { 1 }

    /// Reasons other than bondd to keep forwarding on, a few words each: interfaces that are up, and settings in sysctl's
    /// files.
    /// - Parameter own: the interfaces that bondd forwards for: the tunnel's and those of `[lan]`. Interfaces with a default
    ///   route are egress interfaces, such as PPPoE's, and do not count either.
    package borrowing func forwardingNeeds(besides own: Set<String>) -> [String] {
        let own = own.union((try? defaultInterfaces(except: "")) ?? [])
        let interfaces = ((try? interfaces()) ?? []).filter { interface in
            interface.isUp && !own.contains(interface.name)
                && (interface.hardware == Self.pppType
                    || interface.kind.map(Self.forwardingKinds.contains) ?? false)
                // A TAP device is a virtual machine's cable; if it needs forwarding, it is a port of a bridge.
                && !(interface.kind == "tun" && interface.hardware == Self.ethernetType)
        }
        let families = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
        return interfaces.map { "the interface \($0.name) (\($0.kind ?? "ppp"))" }
            + families.filter { SystemParameters.value(of: $0) == "1" }.map { "\($0) in /etc/sysctl.d" }
    }
}

/// Kernel parameters set at boot by sysctl's files (sysctl.d(5)).
enum SystemParameters {
    private static let maximumSize = 1 << 16
    private static let maximumFiles = 256

    /// The value that takes effect at boot; nil if no file sets the parameter.
    /// - Parameter root: a prefix for all paths, for tests.
    static func value(of parameter: String, root: String = "") -> String? {
        var files: [String: String] = [:]
        // A file in /etc replaces one of the same name in /run, and that one in /usr/lib.
        for directory in ["/usr/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d"] {
            for name in Directory.names(in: root + directory)
            where name.hasSuffix(".conf") && files.count < maximumFiles {
                files[name] = "\(root)\(directory)/\(name)"
            }
        }
        let ordered = files.sorted { $0.key < $1.key }.map(\.value) + ["\(root)/etc/sysctl.conf"]
        var value: String?
        for file in ordered {
            guard let text = try? TextFile.read(file, limit: maximumSize) else { continue }
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: "=", maxSplits: 1).map { part in
                    part.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                }
                guard parts.count == 2, !parts[0].hasPrefix("#"), !parts[0].hasPrefix(";") else { continue }
                let name = parts[0].hasPrefix("-") ? String(parts[0].dropFirst()) : parts[0]
                if name.replacing("/", with: ".") == parameter { value = parts[1] }
            }
        }
        return value
    }
}
