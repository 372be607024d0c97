import ControlProtocol
import Host
import Packet
import Rules
import Runtime
import Settings

/// The services that a server carries in the kernel, as bondd-control handed them over.
struct HandedServices {
    private var kept: Kept<[HandedService]>
    /// The programs that wait for the services' counters.
    private var waiting: [ControlClientID] = []
    private let log: Log

    /// The time between looks for counters that a program waits for.
    private static let glance = Interval.milliseconds(50)
    /// The maximum number of ports of all services together: a port serves TCP and UDP once each, except
    /// while it moves to another service.
    private static let maximumTotal = 131_072
    /// The maximum length of a name, in bytes.
    private static let maximumName = 255

    /// Starts with the content of the file in `directory` for the tunnel with this interface.
    init(directory: String, interface: String, log: Log) {
        self.log = log
        kept = Kept(
            "\(directory)/\(interface).services",
            damage: "the kernel carries no services until bondd-control hands them over again",
            loss: "services are lost with a restart until the file can be written", log: log)
    }

    /// Replaces the services, and begins to save them.
    mutating func replace(with new: [HandedService], now: Instant) { kept.replace(with: new, now: now) }

    /// The number of services.
    var count: Int { kept.content?.count ?? 0 }

    /// Discards services of an earlier run whose rules are gone. Called before any is carried.
    /// - Parameter stateDirectory: bondd's, below which bondd-control keeps its control plane's bundle.
    mutating func drop(for configuration: Configuration, _ stateDirectory: String, now: Instant) {
        guard let handed = kept.content else { return }
        let sources = ServiceSources(configuration, stateDirectory: stateDirectory)
        let wanted = handed.filter(sources.have)
        for gone in handed where !sources.have(gone) {
            log(.warning, "a service is no longer carried, because its rule is gone", ["service": gone.rule])
        }
        kept.replace(with: wanted, now: now)
    }

    /// Stops new connections to services whose rules are gone.
    /// - Returns: whether there are any.
    mutating func retire(for configuration: Configuration, _ stateDirectory: String, now: Instant) -> Bool {
        guard let handed = kept.content else { return false }
        let sources = ServiceSources(configuration, stateDirectory: stateDirectory)
        let new = handed.map { service in
            var service = service
            if !sources.have(service) { service.accepts = false }
            return service
        }
        return kept.replace(with: new, now: now)
    }

    /// Has a program wait for the counters.
    mutating func await(_ client: ControlClientID) { waiting.append(client) }

    /// Whether a program waits for the counters.
    var isAwaited: Bool { !waiting.isEmpty }

    /// The programs that have waited for the counters, which are known now.
    mutating func takeWaiting() -> [ControlClientID] {
        defer { waiting = [] }
        return waiting
    }

    /// When to save changes, and to look for counters that a program waits for.
    func deadline(now: Instant) -> Instant {
        min(kept.deadline(now: now), waiting.isEmpty ? .never : now + Self.glance)
    }

    /// Saves changes without waiting for the disk.
    mutating func save(now: Instant) { kept.save(now: now) }

    /// Saves changes, and waits for the disk.
    mutating func close(now: Instant) { kept.close(now: now) }

    /// The last handover's services that are valid with this configuration.
    func list(for configuration: Configuration) -> [KernelService] {
        guard case .server = configuration.role, let handed = kept.content else { return [] }
        do throws(Failure) {
            let choice = try Self.list(handed, configuration)
            for sentence in choice.refused.values.sorted() {
                log(.error, "not all services are carried in the kernel: \(sentence)")
            }
            return choice.services
        } catch {
            log(
                .error,
                "the kernel carries no services until bondd-control hands them over again: \(error)")
            return []
        }
    }

    /// The valid services of a handover, and the others.
    struct Choice {
        /// The services for the kernel.
        var services: [KernelService] = []
        /// The same as it was handed over.
        var taken: [HandedService] = []
        /// The reason for each service that was left out, one sentence, by name.
        var refused: [String: String] = [:]
    }

    /// Checks services for the kernel. bondd-control has no privileges, so its requests are checked like a
    /// stranger's. Valid services are taken even if others are not, so that they replace those in force.
    /// - Parameter refusal: a further reason against a service, one sentence.
    /// - Throws: `Failure` if there can't be any services.
    static func list(
        _ handed: [HandedService], _ configuration: Configuration,
        refusal: (KernelService) -> String? = { _ in nil }
    ) throws(Failure) -> Choice {
        guard case .server(let server) = configuration.role else {
            throw Failure("a client carries no services; hand them over to a server")
        }
        var choice = Choice()
        var names: Set<String> = []
        var ports: Set<[Int]> = []
        var total = 0
        for one in handed {
            do throws(Failure) {
                let service = try KernelService(one, configuration.tunnel)
                guard !names.contains(service.name) else {
                    throw Failure(
                        "service \"\(service.name)\" is handed over twice; give each service a name of its own"
                    )
                }
                guard total + service.ports.count <= maximumTotal else {
                    throw Failure("there are more than \(maximumTotal) ports; hand over fewer services")
                }
                let own = try ownPorts(of: service, ports, server)
                if let refusal = refusal(service) { throw Failure(refusal) }
                names.insert(service.name)
                ports.formUnion(own)
                total += service.ports.count
                choice.services.append(service)
                choice.taken.append(one)
            } catch {
                choice.refused[String(one.rule.prefix(maximumName))] = error.description
            }
        }
        return choice
    }

    /// The ports that a service occupies, each with its transport.
    /// - Throws: `Failure` if one is taken.
    private static func ownPorts(
        of service: KernelService, _ taken: Set<[Int]>, _ server: Configuration.Server
    ) throws(Failure) -> [[Int]] {
        guard service.accepts else { return [] }
        var own: [[Int]] = []
        for port in service.ports {
            let key = [Int(service.transport.rawValue), Int(port)]
            if taken.contains(key) {
                throw Failure(
                    "service \"\(service.name)\" has port \(port), which another service has already")
            }
            if service.transport == .udp && server.listen.contains(where: { $0.port == port }) {
                throw Failure("service \"\(service.name)\" has port \(port), on which bondd itself listens")
            }
            own.append(key)
        }
        return own
    }

    /// Whether a service's name has a valid length.
    fileprivate static func isName(_ name: String) -> Bool {
        (1...maximumName).contains(name.utf8.count)
    }

    fileprivate static func isCount(_ count: Int) -> Bool { (1...Rule.maximumKernelPorts).contains(count) }
}

extension KernelService {
    /// Checks a service that was handed over.
    fileprivate init(_ handed: HandedService, _ tunnel: Configuration.Tunnel) throws(Failure) {
        guard HandedServices.isName(handed.rule) else {
            throw Failure("a service has no name, or one of more than 255 bytes")
        }
        let name = handed.rule.debugDescription
        guard let transport = TransportProtocol(word: handed.transport) else {
            throw Failure("service \(name) carries \(handed.transport.debugDescription); use tcp or udp")
        }
        let everyPort = 1...Int(UInt16.max)
        guard everyPort.contains(handed.firstPort), everyPort.contains(handed.lastPort),
            handed.firstPort <= handed.lastPort,
            HandedServices.isCount(handed.lastPort - handed.firstPort + 1)
        else {
            throw Failure(
                "service \(name) has ports \(handed.firstPort)-\(handed.lastPort); use 1 to \(Rule.maximumKernelPorts) ports of 1 to 65535"
            )
        }
        let count = handed.lastPort - handed.firstPort + 1
        guard everyPort.contains(handed.targetPort), everyPort.contains(handed.targetPort + count - 1) else {
            throw Failure(
                "service \(name) leads to port \(handed.targetPort) and \(count - 1) behind it; use 1 to 65535"
            )
        }
        guard let target = IPAddress(handed.target) else {
            throw Failure(
                "service \(name) leads to \(handed.target.debugDescription), which is no IP address")
        }
        guard tunnel.addresses.contains(where: { $0.contains(target) }),
            !tunnel.addresses.contains(where: { $0.address == target })
        else {
            throw Failure("service \(name) leads to \(target), which is not behind the tunnel")
        }
        self.init(
            name: handed.rule, transport: transport,
            ports: UInt16(handed.firstPort)...UInt16(handed.lastPort), target: target,
            targetPort: UInt16(handed.targetPort), accepts: handed.accepts)
    }
}
