import Packet

/// Lets the kernel forward packets as long as it is wanted, and puts everything back then.
///
/// The switch of an IP version moves others along: those of all its interfaces, and for IPv4 whether redirects are taken.
/// They are remembered with it. IPv6 interfaces that take their default route from router advertisements are told to go on
/// doing so (`accept_ra` 2), or the host would lose it.
public struct Forwarding: Sendable {
    private var memory: ForwardingMemory

    /// - Parameters:
    ///   - directory: where the memory outlives the daemon.
    ///   - interface: the tunnel's; two daemons on one host don't share a memory.
    public init(directory: String, interface: String) {
        memory = ForwardingMemory(directory: directory, interface: interface)
    }

    /// The tunnels for which forwarding was switched on and not put back yet: their interfaces.
    public static func tunnels(in directory: String) -> [String] {
        ForwardingMemory.interfaces(in: directory)
    }

    /// Those of the IP versions that are not forwarded but for bondd's sake.
    public func closed(_ families: Set<IPAddress.Family>) -> Set<IPAddress.Family> {
        families.filter { family in
            let main = Self.main(family)
            return main.value == "0" || memory.entries.contains { $0.parameter == main && $0.before == "0" }
        }
    }

    /// Whether the kernel forwards packets of an IP version.
    public static func isOn(_ family: IPAddress.Family) -> Bool { main(family).value == "1" }

    /// Switches forwarding on.
    /// - Parameters:
    ///   - families: the IP versions.
    ///   - exits: interfaces that lead to routers.
    /// - Throws: `HostError.file`; what is on stays on.
    public mutating func enable(_ families: Set<IPAddress.Family>, exits: [String]) throws(HostError) {
        // A host that forwarded before takes no advertisements but those it was told to.
        if closed(families).contains(.v6) { try keepRouters(exits) }
        for family in [IPAddress.Family.v4, .v6] where families.contains(family) {
            let main = Self.main(family)
            guard let value = main.value, value != "1" else { continue }
            var entries = [ForwardingMemory.Entry(parameter: main, before: value, after: "1")]
            let name = family == .v4 ? "ipv4" : "ipv6"
            // "default" stands for interfaces to come.
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

    /// Puts back what was set, now or by an earlier run that was killed, where it still is as it was set.
    /// - Parameter isShared: whether others forward, too, as with Docker's bridges: then it stays, as they found it on.
    /// - Returns: what could not be put back, a sentence each.
    public mutating func restore(isShared: Bool = false) -> [String] {
        if isShared { return [] }
        // All are looked at first, as one moves others along.
        let changed = memory.entries.filter { $0.parameter.value == $0.after }
        var problems: [String] = []
        // The switches first, those they move afterwards.
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

    /// Whether there is something to put back.
    public var hasChanged: Bool { !memory.entries.isEmpty }

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
