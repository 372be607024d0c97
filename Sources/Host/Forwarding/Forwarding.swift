import Packet

/// Turns on the kernel's packet forwarding while it is needed, and restores the previous settings afterwards.
///
/// Changing the switch of an IP version changes other parameters: the switches of all its interfaces and, for
/// IPv4, whether redirects are accepted. They are remembered together. IPv6 interfaces that get their default
/// route from router advertisements are told to keep accepting them (`accept_ra` 2), or the host would lose the
/// route.
package struct Forwarding: Sendable {
    private var memory: ForwardingMemory

    /// - Parameters:
    ///   - directory: where the settings to restore outlive the daemon.
    ///   - interface: the tunnel's interface; each daemon on a host has its own memory.
    package init(directory: String, interface: String) {
        memory = ForwardingMemory(directory: directory, interface: interface)
    }

    /// The interfaces of the tunnels for which forwarding was turned on and has not been restored yet.
    package static func tunnels(in directory: String) -> [String] {
        ForwardingMemory.interfaces(in: directory)
    }

    /// The families, of those given, that are forwarded only because of bondd, or not at all.
    package func closed(_ families: Set<IPAddress.Family>) -> Set<IPAddress.Family> {
        families.filter { family in
            let main = Self.main(family)
            return main.value == "0" || memory.entries.contains { $0.parameter == main && $0.before == "0" }
        }
    }

    /// Whether the kernel forwards packets of an IP version.
    package static func isOn(_ family: IPAddress.Family) -> Bool { main(family).value == "1" }

    /// Turns on forwarding.
    /// - Parameters:
    ///   - families: the IP versions.
    ///   - exits: interfaces that lead to routers.
    /// - Throws: `HostError.file`; switches that were already turned on stay on.
    package mutating func enable(_ families: Set<IPAddress.Family>, exits: [String]) throws(HostError) {
        // A host that already forwarded accepts advertisements only where it was told to.
        if closed(families).contains(.v6) { try keepRouters(exits) }
        for family in [IPAddress.Family.v4, .v6] where families.contains(family) {
            let main = Self.main(family)
            guard let value = main.value, value != "1" else { continue }
            var entries = [ForwardingMemory.Entry(parameter: main, before: value, after: "1")]
            let name = family == .v4 ? "ipv4" : "ipv6"
            // "default" applies to future interfaces.
            for interface in ["default"] + KernelParameter.interfaces(name) {
                let parameter = KernelParameter("net/\(name)/conf/\(interface)/forwarding")
                guard let own = parameter.value, own != value else { continue }
                entries.append(ForwardingMemory.Entry(parameter: parameter, before: own, after: "1"))
            }
            let redirects = KernelParameter("net/ipv4/conf/all/accept_redirects")
            if family == .v4, let own = redirects.value {
                entries.append(ForwardingMemory.Entry(parameter: redirects, before: own, after: "0"))
            }
            try memory.remember(entries)
            try main.set("1")
        }
    }

    /// Restores the settings made now or by an earlier run that was killed, unless they have been changed
    /// since.
    /// - Parameter isShared: whether others need forwarding, such as Docker's bridges; it then stays on.
    /// - Returns: a sentence for each setting that could not be restored.
    package mutating func restore(isShared: Bool = false) -> [String] {
        if isShared { return [] }
        // Read all of them first, because writing one changes others.
        let changed = memory.entries.filter { $0.parameter.value == $0.after }
        var problems: [String] = []
        // The switches first, then the parameters that they change.
        let mains = changed.filter { $0.parameter == Self.main(.v4) || $0.parameter == Self.main(.v6) }
        for entry in mains + changed.filter({ !mains.contains($0) }) {
            guard entry.parameter.value != entry.before else { continue }
            do throws(HostError) {
                try entry.parameter.set(entry.before)
            } catch {
                problems.append(error.description)
            }
        }
        if problems.isEmpty && !memory.entries.isEmpty { memory.forget() }
        return problems
    }

    /// Whether there are settings to restore.
    package var hasChanged: Bool { !memory.entries.isEmpty }

    private mutating func keepRouters(_ exits: [String]) throws(HostError) {
        for exit in exits {
            let parameter = KernelParameter("net/ipv6/conf/\(exit)/accept_ra")
            guard !exit.contains("/"), exit != "..", parameter.value == "1" else { continue }
            try memory.remember([ForwardingMemory.Entry(parameter: parameter, before: "1", after: "2")])
            try parameter.set("2")
        }
    }

    private static func main(_ family: IPAddress.Family) -> KernelParameter {
        KernelParameter(family == .v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding")
    }
}
