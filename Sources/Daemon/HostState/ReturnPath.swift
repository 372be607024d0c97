import Host
import Packet
import Settings

/// A client's replies: a connection that came in through the tunnel or by an uplink is answered by the same
/// interface. Without the table, replies follow the routes.
struct ReturnPath: FirewallJob {
    private(set) var table: FirewallTable?
    /// The uplinks by which replies are to leave, and those in the table.
    private var wanted: [ReturnUplink] = []
    private var answering: [ReturnUplink] = []
    /// The uplinks whose reverse-path filter heeds marks.
    private var heeding: Set<String> = []
    /// Connections to this host from before bondd routed anything into the tunnel.
    private let earlier = EarlierConnection.list()
    private var problem: String?

    var families: Set<IPAddress.Family> { [] }
    var problems: [String] { [problem].compactMap(\.self) }

    /// Takes the uplinks by which replies are to leave; none with a kill switch, because nothing leaves
    /// outside the tunnel then.
    mutating func follow(_ uplinks: [ReturnUplink], _ host: FirewallHost) {
        wanted = uplinks
        if table != nil && wanted != answering { apply(host) }
    }

    mutating func apply(_ host: FirewallHost) {
        guard case .client = host.configuration.role else {
            remove(host)
            return
        }
        answering = wanted
        let desired = FirewallTable.returning(
            interface: host.interface, mark: ReturnMark.value(interface: host.interface), uplinks: answering,
            earlier: earlier)
        do throws(HostError) {
            try host.socket.replace(desired)
            table = desired
            heedMarks(host)
            problem = nil
        } catch {
            let sentence =
                "\(error.description); hosts that reach this one through the tunnel may be answered outside it"
            problem = sentence
            host.log(.warning, sentence)
        }
    }

    /// Has strict reverse-path filters of these uplinks heed the marks of packets that come in, and no other
    /// filters.
    private mutating func heedMarks(_ host: FirewallHost) {
        let names = Set(answering.map(\.name))
        for name in heeding.subtracting(names) { ReversePath.ignoreMarks(interface: name) }
        heeding.formIntersection(names)
        for name in names.subtracting(heeding) {
            do throws(HostError) {
                if try ReversePath.heedMarks(interface: name) { heeding.insert(name) }
            } catch {
                host.log(
                    .warning,
                    "\(error.description); with rp_filter = 1 the kernel drops what comes in by \(name) from beyond its networks"
                )
            }
        }
    }

    mutating func remove(_ host: FirewallHost) {
        table = nil
        for name in heeding { ReversePath.ignoreMarks(interface: name) }
        heeding = []
        host.remove(table: FirewallTable.returnName(interface: host.interface))
    }
}
