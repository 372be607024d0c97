import Packet
import Proto

extension Configuration {
    /// What only a client has.
    public struct Client: Equatable, Sendable {
        /// `[server]`: whom it connects to.
        public let server: Peer
        /// `[[path]]`, in the file's order; none: every uplink that `discovery` admits.
        public let paths: [Path]
        /// `[discovery]`, or what holds without the table.
        public let discovery: Discovery
        /// The networks that are routed into the tunnel; nil: only the tunnel's own.
        public let routes: [CIDR]?
        /// The name servers while the tunnel is up; nil: the server's offer, empty: none.
        public let dns: [IPAddress]?

        /// Where a path may reach the server.
        public func endpoints(of path: Path) -> [HostPort] { path.endpoint.map { [$0] } ?? server.endpoints }

        /// Where any path may.
        public var allEndpoints: [HostPort] { server.endpoints + paths.compactMap(\.endpoint) }
        /// Whether nothing may leave outside the tunnel, also while bondd does not run.
        public let killSwitch: Bool
        /// Whether local networks stay reachable with the kill switch.
        public let killSwitchAllowsLAN: Bool
        /// `[lan] interfaces`: the networks behind this host that share the tunnel, by interface; empty: none.
        public let lan: [String]

        /// The most interfaces that `[lan]` takes.
        public static let mostLAN = 16
    }

    /// The server as a client knows it.
    public struct Peer: Equatable, Sendable {
        /// Its public key: 32 bytes (X25519).
        public let publicKey: [UInt8]
        /// Where it listens; at least one.
        public let endpoints: [HostPort]
        /// The key that both ends know beside the public ones; nil: none.
        public let presharedKey: KeyFile?
    }

    /// `[[path]]`
    public struct Path: Equatable, Sendable {
        /// The path's name; no two paths have the same.
        public let name: String
        /// The interface that it leaves through; empty for one that is named by its hardware until that is found.
        public var interface: String
        /// What it is for.
        public var role: PathRole
        /// The rate that is never exceeded in Mbit/s; 0: found.
        public var cap: Double
        /// The data that may go over it in a month in 10⁹ bytes; 0: no limit.
        public var dataCap: Double
        /// This path's own server endpoint; nil: the first of the server's that fits.
        public let endpoint: HostPort?
        /// The routers behind its interface, at most one a family; without one the host's default route through it.
        public let gateways: [IPAddress]

        /// The hardware that it leaves through, whatever the interface is called; nil: the interface is named.
        public let hardware: Hardware?

        /// A primary path without limits, as uplinks that were found are.
        public init(interface: String) {
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

    /// How a path names its interface by its hardware.
    public enum Hardware: Hashable, Sendable, CustomStringConvertible {
        /// By its hardware address, in lower case with colons.
        case mac(String)
        /// By where it is plugged in: a part of its path in sysfs, the bus-info of `ethtool -i`, or udev's ID_PATH.
        case device(String)

        /// `the MAC address 52:54:00:12:34:56`
        public var description: String {
            switch self {
            case .mac(let mac): "the MAC address \(mac)"
            case .device(let device): "the device \(device)"
            }
        }
    }

    /// `[discovery]`: which interfaces may become paths, by glob.
    public struct Discovery: Equatable, Sendable {
        /// The names that may.
        public let include: [String]
        /// The names that may not.
        public let exclude: [String]

        /// Those that may and those that may not.
        public init(include: [String], exclude: [String]) {
            (self.include, self.exclude) = (include, exclude)
        }

        /// All but virtual ones.
        public static let all = Discovery(include: ["*"], exclude: [])
    }
}
