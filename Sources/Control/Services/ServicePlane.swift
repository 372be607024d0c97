import ControlProtocol
import Dispatch
import Packet
import Portunus
import Relay
import Rules
import Runtime
import Settings
import Synchronization

/// The services that this server publishes: the rules of the file and those that a control plane pushes. Each is listened for by
/// this program's `Relay`; the simple ones are handed to bondd as well, whose kernel then has all new connections. Any thread
/// may call; `run` is one that goes on until `stop`.
public final class ServicePlane: Sendable {
    /// How long what is established may go on after its rule was removed.
    static let drain = 30

    let relay: Relay
    let store: Store
    /// bondd's socket.
    let socket: String
    let log: Log
    let book: Mutex<ServiceBook>
    let names = NameCheck()
    /// How long a rule of the file that can't be carried waits for another try: who has its port may give it back.
    private let patience: Duration
    /// Signalled with each change that bondd, or the state's file, has to hear of.
    let changed = DispatchSemaphore(value: 0)
    private let isStopping = Atomic<Bool>(false)

    /// Carries the rules of the file from here on.
    /// - Parameters:
    ///   - health: where this program listens for monitoring; nil: nowhere.
    ///   - patience: how long a rule that can't be carried waits for another try.
    /// - Throws: what keeps this program from carrying any.
    public init(
        store: Store, tunnel: Configuration.Tunnel, server: Configuration.Server,
        health: Configuration.Health? = nil, socket: String, log: Log,
        patience: Duration = .seconds(10)
    ) throws(RelayError) {
        self.patience = patience
        let reach = Reach(tunnel)
        relay = try Relay(reach: reach)
        self.store = store
        self.socket = socket
        self.log = log
        var book = ServiceBook(reach: reach)
        // Both change with a restart only.
        book.reserved = ReservedPorts(server, health)
        self.book = Mutex(book)
        // What the kernel has of them from before a restart is known when bondd was asked.
        reload(tunnel, server, isStart: true)
    }

    /// Takes the rules of a file that was read again: those that are the same go on, limits change in place, others give way.
    public func reload(_ tunnel: Configuration.Tunnel, _ server: Configuration.Server) {
        reload(tunnel, server, isStart: false)
    }

    private func reload(_ tunnel: Configuration.Tunnel, _ server: Configuration.Server, isStart: Bool) {
        let rules = server.rules.map { Rule($0) }
        book.withLock { book in
            let reach = Reach(tunnel)
            if book.reach != reach { relay.setReach(reach) }
            book.reach = reach
            let new = Dictionary(rules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            // Ports must be free before others take them.
            for (id, service) in book.services {
                guard case .named = id else { continue }
                if new[id]?.differs(from: service.rule) != false { remove(id, &book) }
            }
            for rule in rules {
                if book.services[rule.id] == nil {
                    add(rule, &book, retries: true, mayHaveShare: isStart)
                } else if book.services[rule.id]!.rule.limit != rule.limit {
                    setLimit(rule.limit, of: rule.id, &book)
                }
            }
            let mayLeave = server.portunus?.allowsOutside ?? false
            if book.pushedMayLeave != mayLeave { setPushedMayLeave(mayLeave, &book) }
        }
        changed.signal()
    }

    var goesOn: Bool { !isStopping.load(ordering: .relaxed) }

    /// Lets `run` end, which ends what this program carries.
    public func stop() {
        isStopping.store(true, ordering: .relaxed)
        changed.signal()
    }

    // MARK: What all changes have

    /// Carries a rule from here on, or notes why not.
    /// - Parameters:
    ///   - retries: whether it is tried again when it can't be.
    ///   - mayHaveShare: whether the kernel may have connections of it from before this program started.
    @discardableResult
    func add(
        _ rule: Rule, _ book: inout ServiceBook, retries: Bool, mayHaveShare: Bool = false
    ) -> RuleRefusal? {
        var service = Service(rule)
        do throws(RuleRefusal) {
            if let refusal = book.reserved.refusal(of: rule) { throw refusal }
            try relay.add(rule)
        } catch {
            service.failure = error
            service.retry = retries || error.isPassing ? .now + patience : nil
            tell(error, rule)
        }
        if mayHaveShare && rule.mightGoByKernel(book.reach) { service.share = .draining }
        // The same again, before the kernel was through with it.
        if let index = book.leaving.firstIndex(where: { $0.name == service.name }) {
            service.share = book.leaving.remove(at: index).share
        }
        book.services[rule.id] = service
        return service.failure
    }

    /// Stops a rule; what is established may go on for a while.
    func remove(_ id: RuleID, _ book: inout ServiceBook) {
        guard var service = book.services.removeValue(forKey: id) else { return }
        if service.failure != nil && service.share == .none { return }
        relay.remove(id, drain: Self.drain)
        if service.share == .accepting { service.share = .draining }
        service.end = .now + .seconds(Self.drain)
        book.leaving.append(service)
    }

    func setLimit(_ limit: RateLimit, of id: RuleID, _ book: inout ServiceBook) {
        book.services[id]?.rule.limit = limit
        relay.setLimit(limit, of: id)
    }

    /// Whether pushed rules may lead out of the tunnel is another thing now.
    private func setPushedMayLeave(_ mayLeave: Bool, _ book: inout ServiceBook) {
        book.pushedMayLeave = mayLeave
        for (id, service) in book.services {
            guard case .pushed(let number) = id else { continue }
            var rule = service.rule
            rule.mayLeaveTunnel = mayLeave
            // Addresses in the tunnel are good either way, and their connections go on.
            if rule.targets.allSatisfy({ IPAddress($0.host).map(book.reach.contains) == true }) {
                book.services[id]!.rule = rule
                continue
            }
            remove(id, &book)
            add(rule, &book, retries: false)
            book.unsaved.insert(number)
        }
    }

    /// Tries again what could not be carried.
    func tryAgain(_ book: inout ServiceBook) {
        let now = ContinuousClock.now
        for (id, service) in book.services {
            guard let retry = service.retry, retry <= now else { continue }
            do throws(RuleRefusal) {
                if let refusal = book.reserved.refusal(of: service.rule) { throw refusal }
                try relay.add(service.rule)
                (book.services[id]!.failure, book.services[id]!.retry) = (nil, nil)
                log(.info, "a service is carried now", ["rule": "\(id)"])
            } catch {
                book.services[id]!.retry = now + patience
                book.services[id]!.failure = error
                if error != service.failure { tell(error, service.rule) }
            }
        }
    }

    private func tell(_ refusal: RuleRefusal, _ rule: Rule) {
        log(.error, rule.sentence(refusal))
    }
}
