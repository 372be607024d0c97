import Daemon
import Host
import Packet
import Proto
import Scheduler
import Settings

/// The places where `bondd join` looks for the server: the link's endpoints, the addresses of their names as
/// the host and each uplink know them, and the paths there.
struct ServerSearch {
    let wanted: [HostPort]
    private(set) var ways: [EnrolmentWay]
    private let resolver: Resolver
    private var names = ServerNames()
    private let nameWays: [NameWay]
    /// Lets answers in on uplinks that the host's routes do not prefer.
    private let filters: LooseReversePaths

    /// Silence after which an uplink is tested with anything other than UDP.
    private static let patience = Interval.seconds(3)

    /// Finds the uplinks and begins to look up the names.
    /// - Parameters:
    ///   - interface: the future tunnel's interface.
    ///   - state: bondd's state directory.
    init(_ wanted: [HostPort], interface: String, state: String) throws {
        self.wanted = wanted
        resolver = try Resolver()
        ways = EnrolmentWay.all(most: Lanes.maximum)
        filters = LooseReversePaths(ways.compactMap { $0.interface?.name })
        let known = HostNameServers(interface: interface, directory: state)
        nameWays = ways.compactMap { $0.nameWay(known) }
        if wanted.contains(where: { $0.endpoint?.address.family == .v4 }) {
            for way in nameWays { resolver.findTranslator(of: way) }
        }
    }

    /// For poll: readable when a lookup has a result.
    var fileDescriptor: Int32 { resolver.fileDescriptor }

    /// Endpoints known so far, in the link's order.
    var endpoints: [Endpoint] {
        wanted.flatMap { names.endpoints(of: $0) }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The reason why no endpoint is known.
    var problem: String? { wanted.lazy.compactMap { [names] in names.problem(of: $0) }.first }

    /// The uplinks over which something other than UDP passes, in words; `nil` if there are none.
    var hint: String? {
        let passing = ways.compactMap { way in
            way.probe?.passing.flatMap { passing in way.interface.map { "\($0.name) (\(passing.rawValue))" } }
        }
        if ways.count == 1 { return "no interface has a default route" }
        return passing.isEmpty
            ? nil : "the server's host answers by \(passing.joined(separator: ", ")), though not by UDP"
    }

    /// Starts the lookups that are due and reads results.
    mutating func look(now: Instant) {
        for name in names.due(wanted, isOut: false, now: now) {
            names.asked(name, answers: nameWays.isEmpty ? 1 : 2, now: now)
            resolver.resolve(name)
            if !nameWays.isEmpty { resolver.resolve(name, by: nameWays) }
        }
        for resolution in resolver.take() {
            _ = names.learn(resolution.endpoints, of: resolution.name, problem: resolution.problem)
        }
        for translation in resolver.takeTranslations() {
            guard let translator = translation.translator else { continue }
            for index in ways.indices where ways[index].interface?.index == translation.interface {
                ways[index].translators = [translator]
            }
        }
    }

    /// Tests over each uplink whether anything but UDP passes, after a while without an answer.
    mutating func probe(silence: Interval, now: Instant) {
        guard silence >= Self.patience else { return }
        for index in ways.indices {
            ways[index].probe?.look(now: now)
            guard ways[index].probe == nil, let interface = ways[index].interface,
                let first = ways[index].usable(endpoints).first
            else { continue }
            ways[index].probe = ReachProbe(first, by: interface.name, now: now)
        }
    }
}
