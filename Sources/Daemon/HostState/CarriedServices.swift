import Host
import Packet

/// What the kernel carries of services, and what is known of it.
struct CarriedServices {
    /// What there is.
    var list: [KernelService] = []
    /// The table as it was set; nil: none.
    var table: FirewallTable?
    /// What they have carried.
    var ledger = ServiceLedger()
    /// How many connections are open.
    var open: [ServiceConnection: Int] = [:]
    /// What is to be ended.
    var ending: Set<ServiceConnection> = []
    /// What is being found out, since when, and whether the services have changed since; nil: nothing.
    var census: (task: ServiceCensus, began: Instant, isStale: Bool)?
    /// When it was last found out, with the services as they are; nil: not yet.
    var countedAt: Instant?
    /// When it may be found out again.
    var nextCensus = Instant.zero
    /// How long connections that were ended are still to be kept from coming back.
    var watchedUntil = Instant.zero
    /// Why services are not carried as they should be.
    var problem: String?
    /// Whose firewalls drop what belongs to services, as was last found out, a sentence each.
    var foreign: [String] = []
    /// Why it is not known what they carry.
    var censusProblem: String?

    /// Whether these are carried already, and nothing is amiss.
    func areWell(_ other: [KernelService]) -> Bool {
        list == other && problem == nil && (table != nil || other.isEmpty)
    }

    /// The IP versions that have to be forwarded.
    var families: Set<IPAddress.Family> { Set(list.map(\.target.family)) }
}
