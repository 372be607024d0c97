import Glibc
import Messages
import Settings
import Synchronization

/// What bondd-control is on a server: the state, what is asked of it, and bondd's part in it. Three threads use it: the main
/// one answers requests, one lets clients in, one counts what they use; the service plane
/// has its own.
public final class Gateway: Sendable {
    let store: Store
    let log: Log
    /// bondd's socket.
    let socket: String
    /// What it publishes; nil: that can't be.
    let services: ServicePlane?
    let link: PlaneLink?
    let file: String
    /// Held while it is found out which configuration bondd has.
    let turns = Mutex(Turn())
    private let inForce: Mutex<InForce>
    private let handed = Mutex(Handed())
    private let isCurrent = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)

    /// Brings the state into agreement with the configuration, as soon as it is known that bondd has the same.
    /// - Parameter text: what `plan` was made of; nil: not known.
    /// - Throws: what keeps the state from being used.
    public init(
        store: Store, plan: Plan, file: String, socket: String, log: Log, services: ServicePlane? = nil,
        link: PlaneLink? = nil, text: ConfigurationFile? = nil
    ) throws(GatewayError) {
        self.services = services
        self.link = link
        self.store = store
        inForce = Mutex(InForce(plan: plan, text: text))
        self.file = file
        self.socket = socket
        self.log = log
        Store.removeCopies(in: store.directory)
        follow()
        if try prune() { log(.debug, "old invitations are forgotten") }
    }

    /// The configuration that it goes by.
    struct InForce {
        var plan: Plan
        /// What the plan was made of; nil: not known.
        var text: ConfigurationFile?
        /// Whether bondd has the same, as far as can be known, and the state has been brought into agreement with it.
        var isAgreed = false
    }

    /// What is under way with the configuration's file.
    struct Turn {
        /// Whether bondd has yet to decide whether it takes a file that somebody has asked for, and since when.
        var isAwaited = false
        var awaitedSince = ContinuousClock.now
        /// Why the file was not taken last, which is told once.
        var refusal = ""
    }

    /// What came of the last handover.
    private struct Handed {
        /// What bondd had against it, which is told once.
        var refusal = ""
        /// Until when a bondd that did not answer in time is left alone by those who can't wait.
        var leftAloneUntil = ContinuousClock.now
    }

    var current: InForce { inForce.withLock { $0 } }
    var currentPlan: Plan { current.plan }
    var isAgreed: Bool { current.isAgreed }
    var goesOn: Bool { !isStopping.load(ordering: .relaxed) }

    func set(_ plan: Plan, _ text: ConfigurationFile?) {
        inForce.withLock { ($0.plan, $0.text) = (plan, text) }
    }

    func setAgreed(_ isAgreed: Bool) { inForce.withLock { $0.isAgreed = isAgreed } }

    /// Lets the threads end after what they are at.
    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Whether bondd has all clients and invitations.
    public var bonddIsCurrent: Bool { isCurrent.load(ordering: .relaxed) }

    /// How long a bondd that has not answered in time is left alone by those who can't wait.
    private static let leave = Duration.seconds(5)

    /// Hands bondd all clients and invitations. One at a time, so that an older one never comes after a newer.
    /// - Parameter waits: whether a bondd that has just failed to answer in time is asked again.
    /// - Returns: whether it has them.
    @discardableResult
    func handOver(waits: Bool = false) -> Bool {
        isCurrent.store(false, ordering: .relaxed)
        if !waits && handed.withLock({ $0.leftAloneUntil > .now }) { return false }
        // Addresses by another configuration than bondd's would throw clients out.
        guard isAgreed || follow() else { return false }
        return handed.withLock { handed in
            do {
                let isDone = try handOver(&handed)
                isCurrent.store(isDone, ordering: .relaxed)
                return isDone
            } catch let error as SocketError {
                if case .timedOut = error { handed.leftAloneUntil = .now + Self.leave }
                setAgreed(false)
                log(.debug, "bondd cannot be told of the clients: \(error)")
            } catch {
                log(.error, "\(error)")
            }
            return false
        }
    }

    private func handOver(_ handed: inout Handed) throws -> Bool {
        let current = current
        var handover = try store.handover(plan: current.plan)
        handover.configuration = current.text?.digest
        var answer = try ControlClient.ask(.handOver(handover), path: socket)
        if case .revoked(let keys) = answer {
            for name in try store.revoke(keys: keys, now: currentTime()) {
                log(.info, "a client was revoked while bondd-control was away", ["client": name])
            }
            handover.clients.removeAll { keys.contains($0.publicKey) }
            answer = try ControlClient.ask(.handOver(handover), path: socket)
        }
        guard case .failed(let sentence) = answer else {
            handed.refusal = ""
            return true
        }
        // It may have another configuration by now.
        setAgreed(false)
        if sentence != handed.refusal { log(.error, "bondd does not take the clients: \(sentence)") }
        handed.refusal = sentence
        return false
    }

    /// Forgets old invitations, unless it can't be known what is old.
    /// - Returns: whether there were any.
    func prune() throws(GatewayError) -> Bool {
        let now = currentTime()
        guard try store.latestTime() <= now else { return false }
        // By a clock that nobody sets, something is old much later.
        return try store.prune(now: now, memory: HostClock.isSynchronised ? Store.memory : Store.longMemory)
    }
}
