import Control
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
    var ending: Swift.Set<ServiceConnection> = []
    /// What is being found out; nil: nothing.
    var census: ServiceCensus?
    /// Whether what is being found out is of services that have changed since.
    var censusIsStale = false
    /// When it was last found out.
    var countedAt = Instant.zero
    /// When it may be found out again.
    var nextCensus = Instant.zero
    /// How long connections that were ended are still to be kept from coming back.
    var watchedUntil = Instant.zero
    /// Why services are not carried as they should be.
    var problem: String?

    /// The IP versions that have to be forwarded.
    var families: Swift.Set<IPAddress.Family> { Swift.Set(list.map(\.target.family)) }
}
