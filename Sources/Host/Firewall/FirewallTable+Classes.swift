import Packet

/// A class of service whose packets this host tells by a mark or by the control group that sends them.
package struct MarkedClass: Hashable, Sendable {
    /// The DSCP that its packets get on their way into the tunnel.
    package let codepoint: UInt8
    /// The mark, which has no bits of `ReturnMark`; nil: none.
    package let fwmark: UInt32?
    /// The control group; nil: none, or it does not exist.
    package let group: ControlGroup?

    /// A class.
    package init(codepoint: UInt8, fwmark: UInt32?, group: ControlGroup?) {
        (self.codepoint, self.fwmark, self.group) = (codepoint, fwmark, group)
    }
}

extension FirewallTable {
    /// The table that marks packets for classes of service.
    package static func classesName(interface: String) -> String { name("bondd_class", interface: interface) }

    /// Packets read from a TUN device have neither a mark nor a sender. So the classes that go by these get a
    /// DSCP on the way into the tunnel, which bondd takes for the class and clears.
    ///
    /// The sender is known in the output chain only. Marks are read last, when other programs' rules have set
    /// them.
    package static func classes(interface: String, _ classes: [MarkedClass]) -> FirewallTable {
        let into = FirewallRule().into(interface)
        var (output, postrouting): ([FirewallRule], [FirewallRule]) = ([], [])
        for one in classes {
            for family in [IPAddress.Family.v4, .v6] {
                if let group = one.group {
                    output.append(
                        into.sentBy(controlGroup: group.number, level: group.level)
                            .settingCodepoint(one.codepoint, family).then(.accept))
                }
                if let mark = one.fwmark {
                    postrouting.append(
                        into.marked(mark, mask: ~ReturnMark.mask).settingCodepoint(one.codepoint, family)
                            .then(.accept))
                }
            }
        }
        // After nft's "mangle", where rules of others set marks and DSCPs.
        let priority: Int32 = -149
        return FirewallTable(
            name: classesName(interface: interface),
            chains: [
                FirewallChain(
                    name: "output", kind: .filter, hook: .output, priority: priority, rules: output),
                FirewallChain(
                    name: "postrouting", kind: .filter, hook: .postrouting, priority: priority,
                    rules: postrouting),
            ])
    }
}
