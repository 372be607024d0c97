import Packet
import Proto

extension Configuration {
    /// The configuration of a client.
    package struct Client: Equatable, Sendable {
        /// `[server]`: the server to connect to.
        package let server: Peer
        /// `[[path]]`, in file order; empty means every uplink that `discovery` admits.
        package let paths: [Path]
        /// `[discovery]`, or its defaults without the table.
        package let discovery: Discovery
        /// Networks routed into the tunnel; nil means only the tunnel's own.
        package let routes: [CIDR]?
        /// Name servers while the tunnel is up; nil means the server's offer, empty means none.
        package let dns: [IPAddress]?

        /// The endpoints at which `path` may reach the server.
        package func endpoints(of path: Path) -> [HostPort] { path.endpoint.map { [$0] } ?? server.endpoints }

        /// The endpoints at which any path may reach the server.
        package var allEndpoints: [HostPort] { server.endpoints + paths.compactMap(\.endpoint) }
        /// Whether all traffic outside the tunnel is blocked, even while bondd is not running.
        package let killSwitch: Bool
        /// Whether local networks stay reachable with the kill switch.
        package let killSwitchAllowsLAN: Bool
        /// `[lan] interfaces`: interfaces of the networks behind this host that share the tunnel; empty means
        /// none.
        package let lan: [String]

        /// Maximum number of interfaces in `[lan]`.
        package static let mostLAN = 16
    }

    /// The server as a client knows it.
    package struct Peer: Equatable, Sendable {
        /// Its public key: 32 bytes (X25519).
        package let publicKey: [UInt8]
        /// The addresses at which it listens; at least one.
        package let endpoints: [HostPort]
        /// The pre-shared key, if any.
        package let presharedKey: KeyFile?
    }

    /// `[[path]]`
    package struct Path: Equatable, Sendable {
        /// The path's name, unique among the paths.
        package let name: String
        /// The interface it uses; empty for a path named by its hardware until that is found.
        package var interface: String
        /// When the path is used for data.
        package var role: PathRole
        /// Maximum rate in Mbit/s; 0 means measured.
        package var cap: Double
        /// Data allowance for a month in 10⁹ bytes; 0 means unlimited.
        package var dataCap: Double
        /// This path's own server endpoint; nil means the server's first one of a matching IP version.
        package let endpoint: HostPort?
        /// The routers behind its interface, at most one per family; without one, the host's default route
        /// through the interface.
        package let gateways: [IPAddress]

        /// The hardware it uses, whatever its interface is called; nil if the path names its interface.
        package let hardware: Hardware?

        /// A primary path without limits, as for discovered uplinks.
        package init(interface: String) {
            self.init(
                name: interface, interface: interface, role: .primary, cap: 0, dataCap: 0, endpoint: nil,
                gateways: [])
        }

        init(
            name: String, interface: String, role: PathRole, cap: Double, dataCap: Double,
            endpoint: HostPort?, gateways: [IPAddress], hardware: Hardware? = nil
        ) {
            (self.name, self.interface, self.role) = (name, interface, role)
            self.hardware = hardware
            (self.cap, self.dataCap) = (cap, dataCap)
            (self.endpoint, self.gateways) = (endpoint, gateways)
        }
    }

    /// How a path identifies its interface by hardware.
    package enum Hardware: Hashable, Sendable, CustomStringConvertible {
        /// By hardware address, in lower case with colons.
        case mac(String)
        /// By where it is plugged in: part of its sysfs path, the bus-info of `ethtool -i`, or udev's ID_PATH.
        case device(String)

        /// `the MAC address 52:54:00:12:34:56`
        package var description: String {
            switch self {
            case .mac(let mac): "the MAC address \(mac)"
            case .device(let device): "the device \(device)"
            }
        }
    }

    /// `[discovery]`: globs for the interfaces that may become paths.
    package struct Discovery: Equatable, Sendable {
        /// Globs of names to admit.
        package let include: [String]
        /// Globs of names to exclude.
        package let exclude: [String]

        /// Admits names that match `include` and do not match `exclude`.
        package init(include: [String], exclude: [String]) {
            (self.include, self.exclude) = (include, exclude)
        }

        /// All interfaces but virtual ones.
        package static let all = Discovery(include: ["*"], exclude: [])
    }
}
