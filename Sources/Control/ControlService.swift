import ControlProtocol
import Glibc
import Runtime
import Settings
import Synchronization

/// What bondd-control is on a server: the state, what is asked of it, and bondd's part in it. Three threads use it: the main
/// one answers requests, one lets clients in, one counts what they use; the service plane
/// has its own.
public final class ControlService: Sendable {
    let store: Store
    let log: Log
    /// bondd's socket.
    let socket: String
    /// What it publishes; nil: that can't be.
    let services: ServicePlane?
    let link: PlaneLink?
    let file: String
    /// Held while bondd's configuration is compared with this one.
    let turns = Mutex(Turn())
    private let inForce: Mutex<InForce>
    private let handed = Mutex(Handed())
    private let isCurrent = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)

    /// Brings the state into agreement with the configuration, once bondd has the same.
    /// - Parameter text: the text behind `plan`; nil if unknown.
    /// - Throws: what keeps the state from being used.
    public init(
        store: Store, plan: Plan, file: String, socket: String, log: Log, services: ServicePlane? = nil,
        link: PlaneLink? = nil, text: ConfigurationFile? = nil
    ) throws(ControlError) {
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

    /// The configuration that it follows.
    struct InForce {
        var plan: Plan
        /// The text behind the plan; nil if unknown.
        var text: ConfigurationFile?
        /// Whether the state has been brought into agreement with what bondd has.
        var isAgreed = false
        /// The digest of what bondd has; nil if bondd does not report one.
        var bonddDigest: String?
    }

    /// The state of a reload.
    struct Turn {
        /// Whether bondd has neither taken nor refused the file since a reload was requested, and since when.
        var isAwaited = false
        var awaitedSince = ContinuousClock.now
        /// Why the file was not taken last, logged once.
        var refusal = ""
    }

    /// What came of the last handover.
    private struct Handed {
        /// Why bondd refused it, logged once.
        var refusal = ""
        /// After a timeout: until when callers that can't wait skip the handover.
        var leftAloneUntil = ContinuousClock.now
    }

    var current: InForce { inForce.withLock { $0 } }
    var currentPlan: Plan { current.plan }
    var isAgreed: Bool { current.isAgreed }
    var goesOn: Bool { !isStopping.load(ordering: .relaxed) }

    func set(_ plan: Plan, _ text: ConfigurationFile?) {
        inForce.withLock { ($0.plan, $0.text) = (plan, text) }
    }

    /// Notes that the state agrees with what bondd has, which has this digest.
    func agree(on digest: String?) { inForce.withLock { ($0.isAgreed, $0.bonddDigest) = (true, digest) } }

    /// Has bondd asked again before the next handover.
    func forgetAgreement() { inForce.withLock { $0.isAgreed = false } }

    /// Lets the threads end after what they are at.
    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Whether bondd has all clients and invitations.
    public var bonddIsCurrent: Bool { isCurrent.load(ordering: .relaxed) }

    /// How long callers that can't wait skip the handover after a timeout.
    private static let leave = Duration.seconds(5)

    /// Hands bondd all clients and invitations. One at a time, so that an older one never comes after a newer.
    /// - Parameter waits: whether to ask a bondd that has just failed to answer in time.
    /// - Returns: whether it has them.
    @discardableResult
    func handOver(waits: Bool = false) -> Bool {
        isCurrent.store(false, ordering: .relaxed)
        if !waits && handed.withLock({ $0.leftAloneUntil > .now }) { return false }
        // Addresses from another configuration than bondd's would cut clients off.
        guard isAgreed || follow() else { return false }
        return handed.withLock { handed in
            do {
                let isDone = try handOver(&handed)
                isCurrent.store(isDone, ordering: .relaxed)
                return isDone
            } catch let error as SocketError {
                if case .timedOut = error { handed.leftAloneUntil = .now + Self.leave }
                forgetAgreement()
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
        handover.configuration = current.bonddDigest
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
        forgetAgreement()
        if sentence != handed.refusal { log(.error, "bondd does not take the clients: \(sentence)") }
        handed.refusal = sentence
        return false
    }

    /// Forgets old invitations, unless the clock is behind the state.
    /// - Returns: whether there were any.
    func prune() throws(ControlError) -> Bool {
        let now = currentTime()
        guard try store.latestTime() <= now else { return false }
        // Without time synchronisation the clock may be months off.
        return try store.prune(now: now, memory: HostClock.isSynchronised ? Store.memory : Store.longMemory)
    }
}
