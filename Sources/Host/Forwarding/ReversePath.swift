import Packet
import Settings

/// The kernel's reverse-path filter (`rp_filter`, IPv4 only): 0 off, 1 strict, 2 loose (RFC 3704). The higher
/// of an interface's value and that of `all` applies.
package enum ReversePath {
    /// Whether the kernel drops packets that arrive on the interface unless the route back leads there.
    package static func isStrict(_ interface: String) -> Bool {
        let values = [interface, "all"].compactMap { name in parameter(name)?.value }
        return values.contains("1") && !values.contains("2")
    }

    /// Accepts packets on the interface from any address that the host has a route to, because users of
    /// services arrive through the tunnel from anywhere. Set regardless of the value of `all`, which may
    /// change; it disappears with the interface.
    /// - Throws: `HostError.file` if it cannot be set, as in a container with a read-only /proc/sys, and the
    ///   filter is strict.
    package static func loosen(interface: String) throws(HostError) {
        guard let parameter = parameter(interface), let value = parameter.value, value != "2" else { return }
        do throws(HostError) {
            try parameter.set("2")
        } catch {
            if isStrict(interface) { throw error }
        }
    }

    /// Makes a strict filter take packet marks into account, so that rules can tell it which packets may arrive
    /// on the interface (`src_valid_mark`).
    /// - Returns: whether it was changed, in which case `ignoreMarks` undoes it.
    /// - Throws: `HostError.file`.
    package static func heedMarks(interface: String) throws(HostError) -> Bool {
        guard isStrict(interface), parameter(interface) != nil,
            !["all", interface].contains(where: { marks($0).value == "1" })
        else { return false }
        try marks(interface).set("1")
        return true
    }

    /// Undoes `heedMarks`; does nothing if the interface no longer exists.
    package static func ignoreMarks(interface: String) { try? marks(interface).set("0") }

    private static func marks(_ interface: String) -> KernelParameter {
        KernelParameter("net/ipv4/conf/\(interface)/src_valid_mark")
    }

    static func parameter(_ interface: String) -> KernelParameter? {
        interface.contains("/") || interface == ".."
            ? nil : KernelParameter("net/ipv4/conf/\(interface)/rp_filter")
    }
}

/// Loosens the reverse-path filter of uplinks that the kernel cannot tell apart, and restores it. If two have
/// the same network, as two modems of the same model do, the route back leads only through the first, and a
/// strict filter drops every packet that arrives on the other, including ARP requests for its own address.
package struct ReversePathRelief: Sendable {
    /// An uplink and the networks on its link.
    package struct Link: Equatable, Sendable {
        /// The interface.
        package let interface: String
        /// The IPv4 networks that are reachable without a router.
        package let networks: [CIDR]

        /// An uplink and its networks.
        package init(interface: String, networks: [CIDR]) {
            (self.interface, self.networks) = (interface, networks)
        }
    }

    private var memory: ForwardingMemory
    /// The reason for each interface whose filter could not be loosened.
    private var refused: [String: String] = [:]

    /// - Parameters:
    ///   - directory: where the settings to restore outlive the daemon.
    ///   - interface: the tunnel's interface.
    package init(directory: String, interface: String) {
        memory = ForwardingMemory(directory: directory, interface: interface, suffix: ".rp_filter")
    }

    /// The interfaces whose networks overlap with another's, in list order.
    static func overlapping(_ links: [Link]) -> [String] {
        links.filter { link in
            links.contains { other in
                other.interface != link.interface
                    && link.networks.contains { one in
                        other.networks.contains { one.overlaps($0) }
                    }
            }
        }.map(\.interface)
    }

    /// Loosens strict filters where uplinks overlap.
    /// - Returns: a sentence for each interface whose filter could not be loosened, and one for all others.
    package mutating func apply(_ links: [Link]) -> [String] {
        let overlapping = Self.overlapping(links)
        refused = refused.filter { overlapping.contains($0.key) }
        var loosened: [String] = []
        for interface in overlapping {
            guard let parameter = ReversePath.parameter(interface), let value = parameter.value else {
                continue
            }
            if ReversePath.isStrict(interface) {
                do throws(HostError) {
                    try memory.remember([
                        ForwardingMemory.Entry(parameter: parameter, before: value, after: "2")
                    ])
                    try parameter.set("2")
                    refused[interface] = nil
                } catch {
                    refused[interface] =
                        "\(interface) has the same network as another uplink, and its reverse-path filter drops incoming packets (\(error.description)); run: sysctl net.ipv4.conf.\(interface.split(separator: ".").joined(separator: "/")).rp_filter=2"
                    continue
                }
            }
            if memory.entries.contains(where: { $0.parameter == parameter }) { loosened.append(interface) }
        }
        let notice =
            loosened.isEmpty
            ? []
            : [
                "uplinks have the same network, so the reverse-path filter (rp_filter) of \(loosened.joined(separator: " and ")) is loose while bondd runs"
            ]
        return refused.sorted { $0.key < $1.key }.map(\.value) + notice
    }

    /// Restores the values from before this run, or an earlier one that was killed, unless another program has
    /// changed them since.
    /// - Returns: a sentence for each that could not be restored.
    package mutating func restore() -> [String] {
        guard !memory.entries.isEmpty else { return [] }
        var problems: [String] = []
        for entry in memory.entries where entry.parameter.value == entry.after {
            do throws(HostError) {
                try entry.parameter.set(entry.before)
            } catch {
                problems.append(error.description)
            }
        }
        if problems.isEmpty { memory.forget() }
        return problems
    }
}
