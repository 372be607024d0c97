import Glibc
import Host
import Packet
import Runtime
import Settings

// Kill switches whose bondd is not running: those to remove, to adapt and to restore.
extension HostKillSwitch {
    /// Adds the tunnel to the kill switches of bondds that are not running, which would block it otherwise.
    func admit(
        _ tunnel: KillSwitch.Tunnel, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) throws(HostError) {
        let tunnels = try socket.killSwitches()
        for marker in KillSwitchMarker.all(in: directory) {
            guard marker.interface != tunnel.interface, !Self.isThere(marker.interface, netlink),
                tunnels.contains(where: { $0.interface == marker.interface })
            else { continue }
            let wanted = try Self.table(of: marker, besides: tunnel, socket, netlink)
            if !socket.holds(wanted) { try socket.replace(wanted) }
        }
    }

    /// Removes kill switches whose tunnel is gone: those that this configuration set under another interface
    /// name, and those that no other configuration asks for.
    func removeLeftovers(
        of configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) {
        let own = configuration.tunnel.interface
        let markers = KillSwitchMarker.all(in: directory).filter { $0.interface != own }
        for marker in markers
        where !Self.isThere(marker.interface, netlink)
            && (marker.isOf(configuration.file) || !marker.isAsked)
        {
            marker.remove(from: directory)
        }
        do throws(HostError) {
            for left in try socket.killSwitches() where left.interface != own {
                guard !Self.isThere(left.interface, netlink) else { continue }
                if let marker = markers.first(where: { $0.interface == left.interface }),
                    !marker.isOf(configuration.file), marker.isAsked
                {
                    log(
                        .warning,
                        "the kill switch of \(left.interface) is in force although its bondd is not running; start that bondd, or run: bondd unlock",
                        ["configuration": marker.file])
                    continue
                }
                _ = try socket.remove(table: FirewallTable.killSwitchName(interface: left.interface))
                KillSwitchMarker.remove(interface: left.interface, from: directory)
                log(
                    .warning, "a stale kill switch is removed, because its interface is gone",
                    ["interface": left.interface])
            }
        } catch {
            log(.warning, error.description)
        }
    }

    /// Whether a bondd has the tunnel, whose interface disappears when that bondd ends.
    private static func isThere(_ interface: String, _ netlink: borrowing Netlink) -> Bool {
        (try? netlink.interface(named: interface))??.kind == "tun"
    }

    /// The kill switch that a marker describes.
    /// - Parameter tunnel: a tunnel that may not have its own table yet.
    private static func table(
        of marker: KillSwitchMarker, besides tunnel: KillSwitch.Tunnel? = nil,
        _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) throws(HostError) -> FirewallTable {
        let there = try netlink.interface(named: marker.interface)
        let others = try others(than: marker.interface, socket).filter { $0.interface != tunnel?.interface }
        return .killSwitch(
            KillSwitch(
                interface: marker.interface, endpoints: marker.endpoints,
                networks: marker.allowsLAN ? try networks(besides: marker.interface, netlink) : [],
                others: others + [tunnel].compactMap(\.self),
                isClosed: there != nil && there?.kind != "tun"))
    }

    /// Restores the kill switch of a configuration that can't be used, before bondd exits.
    package static func hold(file: String, directory: String, log: Log) {
        for marker in KillSwitchMarker.all(in: directory) where marker.isOf(file) {
            do throws(HostError) {
                let socket = try FirewallSocket()
                let netlink = try Netlink()
                let wanted = try table(of: marker, socket, netlink)
                if !socket.holds(wanted) { try socket.replace(wanted) }
                log(
                    .error,
                    "bondd can't start, so the kill switch stays in force as it was last set; correct the configuration, or run: bondd unlock",
                    ["interface": marker.interface])
            } catch {
                log(.error, "could not restore the kill switch of \(marker.interface): \(error.description)")
            }
        }
    }
}

extension KillSwitchMarker {
    /// Whether its configuration still asks for it. One that can't be read counts as asking.
    fileprivate var isAsked: Bool {
        guard access(file, F_OK) == 0 else { return false }
        guard let configuration = try? Configuration(reading: file, keys: .leave) else { return true }
        guard case .client(let client) = configuration.role else { return false }
        return client.killSwitch && configuration.tunnel.interface == interface
    }
}
