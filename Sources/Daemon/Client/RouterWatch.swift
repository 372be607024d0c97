import Host
import Packet
import Runtime

/// A client's reverse-path filters that are loosened, and when to look for paths that share a router.
struct RouterWatch {
    /// How often neighbours are read, because the kernel learns their hardware addresses only when it needs
    /// them.
    private static let interval = Interval.seconds(5)

    private var relief: ReversePathRelief
    private var loosened = Notices()
    private var tunnelFilter: String?
    private var checkedAt = Instant.zero

    init(directory: String, interface: String) {
        relief = ReversePathRelief(directory: directory, interface: interface)
    }

    var notices: [String] { loosened.list }
    /// Why hosts that reach this one through the tunnel may not be answered.
    var tunnelNotices: [String] { [tunnelFilter].compactMap(\.self) }

    /// Whether to read the neighbors now.
    mutating func begin(now: Instant) -> Bool {
        guard now - checkedAt >= Self.interval else { return false }
        checkedAt = now
        return true
    }

    /// Loosens the reverse-path filters of uplinks that overlap, and tightens those that no longer do.
    mutating func relieve(_ links: [ReversePathRelief.Link], _ log: Log) {
        loosened.replace(with: relief.apply(links), log)
    }

    /// Lets users reach this host through the tunnel from any address. A failure does not keep bondd from
    /// being ready.
    mutating func loosen(tunnel: String, _ log: Log) {
        do throws(HostError) {
            try ReversePath.loosen(interface: tunnel)
        } catch {
            let notice =
                "\(error.description), so hosts that reach this one through the tunnel may not be answered; set sysctl net.ipv4.conf.all.rp_filter to 0 or 2"
            log(.warning, notice)
            tunnelFilter = notice
        }
    }

    /// Restores all filters, including those that a killed daemon loosened.
    mutating func restore(_ log: Log) {
        for problem in relief.restore() { log(.warning, problem) }
    }
}
