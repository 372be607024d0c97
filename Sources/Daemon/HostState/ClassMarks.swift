import Host
import Packet
import Settings

/// `[[class]]` with `fwmark` or `cgroup`: the table that tells bondd the packets of such classes.
struct ClassMarks: FirewallJob {
    /// How often control groups are looked for: a service that restarts has another one.
    static let pace = Interval.seconds(2)

    private(set) var table: FirewallTable?
    private var notices = Notices()

    var families: Set<IPAddress.Family> { [] }
    var problems: [String] { notices.list }
    /// Whether the table depends on control groups, which come and go.
    private(set) var followsGroups = false

    mutating func apply(_ host: FirewallHost) {
        let classes = host.configuration.classes
        followsGroups = classes.contains { $0.cgroup != nil }
        guard host.configuration.marksClasses else {
            if table != nil { remove(host) }
            return
        }
        var problems: [String] = []
        var marked: [MarkedClass] = []
        for (index, one) in classes.enumerated() where one.service.isMarkedHere {
            let group = one.cgroup.flatMap { ControlGroup(path: $0) }
            if let path = one.cgroup, group == nil {
                problems.append(
                    "there is no control group \(path), which [[class]] \"\(one.service.name)\" names; start its programs, or correct cgroup"
                )
            }
            marked.append(
                MarkedClass(
                    codepoint: ServiceClass.localCodepoint(index), fwmark: one.fwmark, group: group))
        }
        let desired = FirewallTable.classes(interface: host.interface, marked)
        if desired != table {
            do throws(HostError) {
                try host.socket.replace(desired)
                table = desired
            } catch {
                problems.append(
                    "\(error.description); packets of [[class]] with fwmark or cgroup count as the default class's"
                )
            }
        }
        notices.replace(with: problems, host.log)
    }

    mutating func remove(_ host: FirewallHost) {
        (table, notices, followsGroups) = (nil, Notices(), false)
        host.remove(table: FirewallTable.classesName(interface: host.interface))
    }
}
