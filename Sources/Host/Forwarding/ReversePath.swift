import Packet
import Settings

/// The kernel's reverse-path filter (`rp_filter`, IPv4 only): 0 off, 1 strict, 2 loose (RFC 3704). The kernel takes the higher
/// one of an interface's value and that of all.
public enum ReversePath {
    /// Whether the kernel drops packets that come in by the interface unless the route back leads there.
    public static func isStrict(_ interface: String) -> Bool {
        let values = [interface, "all"].compactMap { name in parameter(name)?.value }
        return values.contains("1") && !values.contains("2")
    }

    /// Lets packets come in by the interface from any address that the host has some way to, as through a tunnel users come
    /// from everywhere. It is set whatever that of all is, which may change, and goes with the interface.
    /// - Throws: `HostError.file` when it can't be set, as in a container whose /proc/sys is read-only, and packets are
    ///   filtered strictly.
    public static func loosen(interface: String) throws(HostError) {
        guard let parameter = parameter(interface), let value = parameter.value, value != "2" else { return }
        do throws(HostError) {
            try parameter.set("2")
        } catch {
            if isStrict(interface) { throw error }
        }
    }

    /// Has a strict filter go by the marks of packets, so that rules can tell it what may come in by the interface
    /// (`src_valid_mark`).
    /// - Returns: whether that was changed; then `ignoreMarks` undoes it.
    /// - Throws: `HostError.file`.
    public static func heedMarks(interface: String) throws(HostError) -> Bool {
        guard isStrict(interface), parameter(interface) != nil,
            !["all", interface].contains(where: { marks($0).value == "1" })
        else { return false }
        try marks(interface).set("1")
        return true
    }

    /// Undoes `heedMarks`; an interface that is gone has nothing to undo.
    public static func ignoreMarks(interface: String) { try? marks(interface).set("0") }

    private static func marks(_ interface: String) -> KernelParameter {
        KernelParameter("net/ipv4/conf/\(interface)/src_valid_mark")
    }

    static func parameter(_ interface: String) -> KernelParameter? {
        interface.contains("/") || interface == ".."
            ? nil : KernelParameter("net/ipv4/conf/\(interface)/rp_filter")
    }
}

/// Loosens the reverse-path filter of uplinks that the kernel can't tell apart, and restores it. Where two have the same
/// network, as two sticks of the same model do, the route back leads through the first of them only, and a strict filter
/// drops every packet that comes in by the other, ARP requests for its own address included.
public struct ReversePathRelief: Sendable {
    /// An uplink and the networks on its link.
    public struct Link: Equatable, Sendable {
        /// The interface.
        public let interface: String
        /// The IPv4 networks that are reached without a router.
        public let networks: [CIDR]

        /// An uplink.
        public init(interface: String, networks: [CIDR]) {
            (self.interface, self.networks) = (interface, networks)
        }
    }

    private var memory: ForwardingMemory
    /// The reason for each interface that could not be loosened.
    private var refused: [String: String] = [:]

    /// - Parameters:
    ///   - directory: where the memory outlives the daemon.
    ///   - interface: the tunnel's.
    public init(directory: String, interface: String) {
        memory = ForwardingMemory(directory: directory, interface: interface, suffix: ".rp_filter")
    }

    /// The interfaces whose networks overlap with another's, in the order of the list.
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

    /// Loosens the filter where uplinks overlap and it is strict.
    /// - Returns: a sentence for each interface that could not be loosened, and one for all that were.
    public mutating func apply(_ links: [Link]) -> [String] {
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

    /// Restores the values from before this run, or an earlier one that was killed, unless another program has changed them since.
    /// - Returns: a sentence for each that could not be restored.
    public mutating func restore() -> [String] {
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

    /// Has a strict filter (1, the higher of an interface's value and that of all) go by the marks of packets, so that rules
    /// can tell it what may come in by the interface (`src_valid_mark`).
    /// - Returns: whether that was changed; then `ignoreMarks` undoes it.
    /// - Throws: `HostError.file`.
    public static func heedMarks(interface: String) throws(HostError) -> Bool {
        func values(_ key: String) -> [Int] {
            ["all", interface].compactMap {
                KernelParameter("net/ipv4/conf/\($0)/\(key)").value.flatMap { Int($0) }
            }
        }
        guard !interface.contains("/"), values("rp_filter").max() == 1, values("src_valid_mark").max() == 0
        else { return false }
        try KernelParameter("net/ipv4/conf/\(interface)/src_valid_mark").set("1")
        return true
    }

    /// Undoes `heedMarks`; an interface that is gone has nothing to undo.
    public static func ignoreMarks(interface: String) {
        try? KernelParameter("net/ipv4/conf/\(interface)/src_valid_mark").set("0")
    }
}
