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
    private let file: String
    private let plan: Mutex<Plan>
    private let handed = Mutex(Handed())
    private let isStopping = Atomic<Bool>(false)

    /// Brings the state into agreement with the configuration.
    /// - Throws: what keeps the state from being used.
    public init(
        store: Store, plan: Plan, file: String, socket: String, log: Log, services: ServicePlane? = nil,
        link: PlaneLink? = nil
    ) throws(GatewayError) {
        self.services = services
        self.link = link
        self.store = store
        self.plan = Mutex(plan)
        self.file = file
        self.socket = socket
        self.log = log
        Store.removeCopies(in: store.directory)
        for sentence in try store.reconcile(with: plan) { log(.warning, sentence) }
        if try store.prune(now: currentTime()) { log(.debug, "old invitations are forgotten") }
    }

    /// What came of the last handover.
    private struct Handed {
        /// Whether bondd has it.
        var isDone = false
        /// What bondd had against it, which is told once.
        var refusal = ""
    }

    var currentPlan: Plan { plan.withLock { $0 } }
    var goesOn: Bool { !isStopping.load(ordering: .relaxed) }

    /// Lets the threads end after what they are at.
    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Whether bondd has all clients and invitations.
    public var bonddIsCurrent: Bool { handed.withLock { $0.isDone } }

    /// Hands bondd all clients and invitations. One at a time, so that an older one never comes after a newer.
    /// - Returns: whether it has them.
    @discardableResult
    func handOver() -> Bool {
        let plan = currentPlan
        return handed.withLock { handed in
            handed.isDone = false
            do {
                let handover = try store.handover(plan: plan)
                let answer = try ControlClient.ask(.handOver(handover), path: socket)
                var refusal = ""
                if case .failed(let sentence) = answer { refusal = sentence }
                handed.isDone = refusal.isEmpty
                if !refusal.isEmpty && refusal != handed.refusal {
                    log(.error, "bondd does not take the clients: \(refusal)")
                }
                handed.refusal = refusal
            } catch let error as SocketError {
                log(.debug, "bondd cannot be told of the clients: \(error)")
            } catch {
                log(.error, "\(error)")
            }
            return handed.isDone
        }
    }

    /// Reads the configuration again: its networks, clients and services take effect at once, the rest with a restart.
    public func reload() {
        do {
            let new = try Configuration(reading: file, keys: .leave)
            guard case .server(let server) = new.role else {
                log(.error, "the configuration stays as it was: the role changes only with a restart")
                return
            }
            let plan = Plan(file: file, tunnel: new.tunnel, server: server)
            for sentence in try store.reconcile(with: plan) { log(.warning, sentence) }
            self.plan.withLock { $0 = plan }
            handOver()
            services?.reload(new.tunnel, server)
            link?.start(bundleFile: server.portunus?.bundleFile)
            log(.info, "the configuration was read again")
        } catch {
            log(.error, "the configuration stays as it was: \(error)")
        }
    }
}
