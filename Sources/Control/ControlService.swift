import ControlProtocol
import Glibc
import Runtime
import Settings
import Synchronization

/// The core of bondd-control on a server: the state, requests to it, and its cooperation with bondd. Three
/// threads use it: the main one answers requests, one processes enrolments, one accounts for usage; the service
/// plane has its own.
package final class ControlService: Sendable {
    let store: Store
    let log: Log
    /// The path of bondd's socket.
    let socket: String
    /// The published services; nil if they cannot be served.
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
    /// - Throws: the error that makes the state unusable.
    package init(
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
        if try prune() { log(.debug, "old invitations removed") }
    }

    /// The configuration that bondd-control follows.
    struct InForce {
        var plan: Plan
        /// The text behind the plan; nil if unknown.
        var text: ConfigurationFile?
        /// Whether the state has been brought into agreement with bondd's configuration.
        var isAgreed = false
        /// The digest of bondd's configuration; nil if bondd does not report one.
        var bonddDigest: String?
    }

    /// The state of a reload.
    struct Turn {
        /// Whether bondd has neither adopted nor refused the file since a reload was requested, and since when.
        var isAwaited = false
        var awaitedSince = ContinuousClock.now
        /// Why the file was last refused, logged once.
        var refusal = ""
    }

    /// The result of the last handover.
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

    /// Records that the state agrees with bondd's configuration, which has this digest.
    func agree(on digest: String?) { inForce.withLock { ($0.isAgreed, $0.bonddDigest) = (true, digest) } }

    /// Forces another comparison with bondd before the next handover.
    func forgetAgreement() { inForce.withLock { $0.isAgreed = false } }

    /// Lets the threads end after their current work.
    package func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Whether bondd has all clients and invitations.
    package var bonddIsCurrent: Bool { isCurrent.load(ordering: .relaxed) }

    /// How long callers that cannot wait skip the handover after a timeout.
    private static let leave = Duration.seconds(5)

    /// Hands bondd all clients and invitations. Serialized, so that an older set never arrives after a newer one.
    /// - Parameter waits: whether to query a bondd that has just failed to answer in time.
    /// - Returns: whether bondd has them.
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
                log(.debug, "cannot hand the clients to bondd: \(error)")
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
                log(.info, "client revoked while bondd-control was not running", ["client": name])
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
        if sentence != handed.refusal { log(.error, "bondd rejected the clients: \(sentence)") }
        handed.refusal = sentence
        return false
    }

    /// Removes old invitations, unless the clock is behind the state.
    /// - Returns: whether there were any.
    func prune() throws(ControlError) -> Bool {
        let now = currentTime()
        guard try store.latestTime() <= now else { return false }
        // Without time synchronization the clock may be months off.
        return try store.prune(now: now, memory: HostClock.isSynchronised ? Store.memory : Store.longMemory)
    }
}
