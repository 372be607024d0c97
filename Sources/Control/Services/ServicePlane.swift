import ControlProtocol
import Dispatch
import Packet
import Portunus
import Relay
import Rules
import Runtime
import Settings
import Synchronization

/// The services published by this server: the rules of the file and those pushed by a control plane. This
/// program's `Relay` listens for each of them; the simple ones are also handed to bondd, whose kernel then gets
/// all new connections. Any thread may call the methods; `run` continues until `stop`.
package final class ServicePlane: Sendable {
    /// How long established connections may continue after their rule was removed, in seconds.
    static let drain = 30

    let relay: Relay
    let store: Store
    /// The path of bondd's socket.
    let socket: String
    let log: Log
    let book: Mutex<ServiceBook>
    let names = NameCheck()
    /// How long a rule of the file that cannot be carried waits before the next attempt: its port may become free.
    private let patience: Duration
    /// Signalled at each change that bondd, or the state's file, has to receive.
    let changed = DispatchSemaphore(value: 0)
    private let isStopping = Atomic<Bool>(false)

    /// Starts carrying the rules of the file.
    /// - Parameters:
    ///   - health: where this program listens for monitoring; nil if nowhere.
    ///   - patience: how long a rule that cannot be carried waits before the next attempt.
    /// - Throws: the error that prevents any service.
    package init(
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
        // Both change only with a restart.
        book.reserved = ReservedPorts(server, health)
        self.book = Mutex(book)
        // The kernel's share from before a restart becomes known when bondd is queried.
        reload(tunnel, server, isStart: true)
    }

    /// Adopts the rules of a reloaded file: unchanged ones continue, limits change in place, others are replaced.
    package func reload(_ tunnel: Configuration.Tunnel, _ server: Configuration.Server) {
        reload(tunnel, server, isStart: false)
    }

    private func reload(_ tunnel: Configuration.Tunnel, _ server: Configuration.Server, isStart: Bool) {
        book.withLock { book in
            let reach = Reach(tunnel)
            if book.reach != reach { relay.setReach(reach) }
            book.reach = reach
            let new = Dictionary(server.rules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            // Free ports before other rules take them.
            for (id, service) in book.services {
                guard case .named = id else { continue }
                if new[id]?.differs(from: service.rule) != false { remove(id, &book) }
            }
            for rule in server.rules {
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

    /// Ends `run`, and with it the services carried by this program.
    package func stop() {
        isStopping.store(true, ordering: .relaxed)
        changed.signal()
    }

    // MARK: Common to all changes

    /// Starts carrying a rule, or records why it cannot be carried.
    /// - Parameters:
    ///   - retries: whether to retry if it cannot be carried.
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
        // The same rule again, before its old connections in the kernel have ended.
        if let index = book.leaving.firstIndex(where: { $0.name == service.name }) {
            service.share = book.leaving.remove(at: index).share
        }
        book.services[rule.id] = service
        return service.failure
    }

    /// Stops a rule; established connections may continue for a while.
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

    /// Changes whether pushed rules may lead out of the tunnel.
    private func setPushedMayLeave(_ mayLeave: Bool, _ book: inout ServiceBook) {
        book.pushedMayLeave = mayLeave
        for (id, service) in book.services {
            guard case .pushed(let number) = id else { continue }
            var rule = service.rule
            rule.mayLeaveTunnel = mayLeave
            // Addresses in the tunnel are permitted either way, and their connections continue.
            if rule.targets.allSatisfy({ IPAddress($0.host).map(book.reach.contains) == true }) {
                book.services[id]!.rule = rule
                continue
            }
            remove(id, &book)
            add(rule, &book, retries: false)
            book.unsaved.note(rule: number)
        }
    }

    /// Retries rules that could not be carried.
    func tryAgain(_ book: inout ServiceBook) {
        let now = ContinuousClock.now
        for (id, service) in book.services {
            guard let retry = service.retry, retry <= now else { continue }
            do throws(RuleRefusal) {
                if let refusal = book.reserved.refusal(of: service.rule) { throw refusal }
                try relay.add(service.rule)
                (book.services[id]!.failure, book.services[id]!.retry) = (nil, nil)
                log(.info, "now carrying the service", ["rule": "\(id)"])
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

extension Reach {
    /// The networks inside a server's tunnel.
    init(_ tunnel: Configuration.Tunnel) {
        self.init(
            networks: tunnel.addresses.map { ($0.address, $0.length) }, own: tunnel.addresses.map(\.address),
            interface: tunnel.interface)
    }
}
