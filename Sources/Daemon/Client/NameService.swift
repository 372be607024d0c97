import Host
import Packet
import Scheduler

/// A client's name servers as they stand: which are set and how, which are asked outside the tunnel, and when
/// all that is looked at again.
struct NameService {
    /// What decides; a change of it begins the choice again.
    struct Basis: Equatable {
        /// `[tunnel] dns`; nil when the file does not have it.
        var file: [IPAddress]?
        /// The server's offer, as far as it is reached through the tunnel.
        var offer: [IPAddress] = []
        /// Whether all of a family goes into the tunnel.
        var isFull = false
        /// Whether names may be asked outside the tunnel.
        var mayLeave = true
    }

    let host: NameServers
    let writer: NameServerWriter
    var basis = Basis()
    var choice = NameServerChoice()
    /// A question that waits for its answers.
    var inquiry: NameServerInquiry?
    /// The servers that are to be set; none: the host's own stay.
    var servers: [IPAddress] = []
    /// Which way they were set; nil as long as they are not.
    var way: NameServers.Way?
    /// Why they could not be set; it is tried again.
    var problem: String?
    /// The servers that are asked outside the tunnel, and the path that each is asked over.
    var outside: [IPAddress: UInt16] = [:]
    /// The paths that were up when the choice was last made.
    var uplinks: Set<UInt16> = []
    /// The host's own servers when the choice was last made.
    var resolver = HostResolver()
    /// When to ask again.
    var nextInquiry = Instant.never
    /// How long the next wait is while nothing answers.
    var retryPause = NameService.shortestRetry
    /// When to look again whether the servers still stand, and the wait after that.
    var nextLook = Instant.zero
    var lookPause = NameService.shortestLook
    /// Whether a choice was made, or none is to be made.
    var isSettled = false
    /// What users should know of it.
    var notice: String?

    /// Programs that fight over the name servers shall not do so all the time.
    static let shortestLook = Interval.seconds(10)
    static let longestLook = Interval.seconds(300)
    static let shortestRetry = Interval.seconds(5)
    static let longestRetry = Interval.seconds(300)
    /// Servers in use are asked again so seldom that it costs nothing on a metered link: 60 kB a day through
    /// the tunnel.
    static let steadyPause = Interval.seconds(300)
    /// Outside the tunnel they may go as their uplink does: 0.15 MB a day and server on each uplink.
    static let outsidePause = Interval.seconds(120)
    /// A local forwarder has this long to notice that it reaches its servers.
    static let settling = Interval.seconds(2)

    init(interface: String, directory: String) {
        host = NameServers(interface: interface, directory: directory)
        writer = NameServerWriter(host)
    }

    /// The wait after a decision.
    mutating func pause(after decision: NameServerChoice.Decision, changed: Bool) -> Interval {
        guard decision.isAnswered else {
            defer { retryPause = min(Self.longestRetry, retryPause * 2) }
            return retryPause
        }
        retryPause = Self.shortestRetry
        if changed && !decision.outside.isEmpty { return Self.settling }
        return decision.source == .offer || decision.source == .file ? Self.steadyPause : Self.outsidePause
    }
}
