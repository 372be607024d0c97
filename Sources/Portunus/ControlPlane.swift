import GRPCCore
import GRPCProtobuf
import Rules
import Runtime
import Settings
import Synchronization

/// The connection to a control plane: keeps a session with it, passes its messages to a keeper, and sends
/// reports. Losing the connection does not affect the rules that are carried.
package final class ControlPlane: Sendable {
    private let bundle: Bundle
    private let keeper: any RuleKeeper
    private let log: Log
    private let version: String
    private let timing: Timing
    private let work = Mutex(Work())

    private struct Work {
        var task: Task<Void, Never>?
        var isStopped = false
        var isOver = false
        /// The previous connection, until it has ended.
        var predecessor: ControlPlane?
        /// The figures reported so far.
        var ledger = ReportLedger()
    }

    /// - Parameters:
    ///   - bundle: the result of enrolment.
    ///   - keeper: receives one call at a time.
    ///   - log: receives events that the keeper does not see: unreadable rules, and pushes that it leaves
    ///     unanswered.
    ///   - version: this program's version, as displayed by the control plane.
    ///   - predecessor: the stopped connection that this one replaces; bytes it has reported are not reported
    ///     again.
    package init(
        bundle: Bundle, keeper: any RuleKeeper, log: Log, version: String = Product.version,
        timing: Timing = Timing(), after predecessor: ControlPlane? = nil
    ) {
        self.bundle = bundle
        self.keeper = keeper
        self.log = log
        // The control plane expects the version of its own client, and reads the part before the plus.
        self.version = "3.1.0+bondd.\(version)"
        self.timing = timing
        work.withLock { $0.predecessor = predecessor }
    }

    /// Connects, and reconnects whenever the session ends, until `stop`. May be called once.
    package func start() {
        work.withLock { work in
            guard work.task == nil, !work.isStopped else { return }
            work.task = Task { await self.run() }
        }
    }

    /// Ends the session. A call of the keeper in progress completes; no other begins after that.
    package func stop() {
        work.withLock { work in
            work.isStopped = true
            work.task?.cancel()
        }
    }

    /// Whether no further attempts are made, because the control plane does not know this server, or the bundle
    /// is unusable.
    package var isOver: Bool { work.withLock { $0.isOver } }

    private func run() async {
        await keepConnected()
        work.withLock { $0.isOver = true }
    }

    private func keepConnected() async {
        guard let endpoint = HostPort(bundle.endpoint), let pin = Pin(bundle.pin), bundle.fault == nil else {
            let fault = "the bundle is unusable: \(bundle.fault ?? "it is incomplete")"
            log(.error, "not connecting to the control plane", ["reason": fault])
            return keeper.stateChanged(.connecting(fault))
        }
        var state = PlaneState.connecting(nil)
        keeper.stateChanged(state)
        var backoff = Backoff(first: timing.firstPause, longest: timing.longestPause)
        var generator = SystemRandomNumberGenerator()
        await follow()
        var ping = timing.ping
        // The rules that were queried from the control plane and that it has not named since.
        var asked: Set<UInt64> = []
        while !Task.isCancelled {
            let session = Session(
                keeper: keeper, log: log, version: version, patience: timing.acknowledgement,
                ledger: work.withLock { $0.ledger }, asked: asked)
            let start = ContinuousClock.now
            let end = await hold(session, endpoint, pin, ping: ping)
            session.close()
            let ledger = await session.ledger
            work.withLock { $0.ledger = ledger }
            asked = await session.asked
            guard !Task.isCancelled else { return }
            if Self.wantsFewerPings(end) { ping = min(ping * 2, timing.longestPing) }
            if await session.isWelcome {
                state = .connected
                // Two clients with one token end each other's sessions; the backoff keeps them from doing so
                // ever faster.
                if start.duration(to: .now) >= timing.steady { backoff.reset() }
            }
            // A session that was ended in favor of the next one is not logged.
            let next = end == .asked ? state : Self.state(after: end)
            if next != state {
                keeper.stateChanged(next)
                state = next
            }
            if case .unauthorized = next { return }
            try? await Task.sleep(for: backoff.pause(using: &generator))
        }
    }

    /// Takes over the ledger of the previous connection.
    private func follow() async {
        guard let predecessor = work.withLock({ $0.predecessor.take() }) else { return }
        await predecessor.work.withLock { $0.task }?.value
        let ledger = predecessor.work.withLock { $0.ledger }
        work.withLock { $0.ledger = ledger }
    }

    /// Whether the session ended because of too frequent pings: gRPC's text in such a GOAWAY, or HTTP/2's (RFC
    /// 9113 section 7).
    private static func wantsFewerPings(_ end: SessionEnd) -> Bool {
        guard case .broken(let reason) = end else { return false }
        let words = reason.lowercased().map { $0 == "_" ? " " : $0 }
        return ["too many pings", "enhance your calm"].contains { String(words).contains($0) }
    }

    private static func state(after end: SessionEnd) -> PlaneState {
        switch end {
        case .closed, .asked:
            .connecting(
                "it ended the session, as happens when it restarts, when this server is enrolled again, or when another server uses the same bundle"
            )
        case .broken(let reason): .connecting(reason)
        case .unauthorized(let word): .unauthorized(word)
        case .wrongCertificate: .wrongCertificate
        }
    }

    /// Connects, and returns once that has failed or the session is over.
    private func hold(
        _ session: Session, _ endpoint: HostPort, _ pin: Pin, ping: Duration
    ) async -> SessionEnd {
        var timing = timing
        timing.ping = ping
        let line = Line(to: endpoint, pin: pin, timing: timing)
        let end = await withTaskGroup(of: SessionEnd?.self) { group in
            group.addTask { await self.talk(session, line) }
            group.addTask { await self.keepTime(session) }
            for await end in group {
                guard let end else { continue }
                group.cancelAll()
                return end
            }
            return .broken("stopped")
        }
        // If there are several addresses, one of them may belong to another server.
        if case .broken = end, line.sawAnotherCertificate, await !session.isWelcome {
            return .wrongCertificate
        }
        return end
    }

    /// Runs the stream, sending and receiving messages.
    private func talk(_ session: Session, _ line: Line) async -> SessionEnd {
        do {
            return try await line.connect { client in
                let request = StreamingClientRequest<Portunus_V1_ClientMessage>(
                    metadata: ["authorization": "Bearer \(bundle.token)"]
                ) { writer in
                    for await message in session.outgoing {
                        try await writer.write(message)
                        await session.sent(message)
                    }
                }
                return try await Portunus_V1_Control.Client(wrapping: client).channel(
                    request: request, serializer: ProtobufSerializer(), deserializer: ServerMessages(),
                    options: .defaults
                ) { response in
                    for try await message in response.messages { await session.receive(message) }
                    return SessionEnd.closed
                }
            }
        } catch let error as RPCError
            where error.code == .unauthenticated && !Self.passing.contains(error.message)
        {
            return .unauthorized(error.message.isEmpty ? "unauthenticated" : error.message.words)
        } catch let error as RPCError {
            return .broken(error.words)
        } catch {
            return .broken("\(error)".words)
        }
    }

    /// Details of an UNAUTHENTICATED error by which a control plane reports that it could not check whether it
    /// knows this server.
    private static let passing: Set<String> = ["token_verify_error", "missing_identity"]

    /// Performs the timed actions of a session.
    /// - Returns: why the session is over, if a timeout ended it.
    private func keepTime(_ session: Session) async -> SessionEnd? {
        let began = await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in session.welcome {} }
            group.addTask { try? await Task.sleep(for: self.timing.welcome) }
            await group.next()
            group.cancelAll()
            return await session.isWelcome
        }
        guard began else { return .broken("it does not answer like a control plane") }
        return await withTaskGroup(of: SessionEnd?.self) { group in
            group.addTask { await self.reconcile(session) }
            group.addTask {
                var next = ContinuousClock.now + self.timing.firstReport
                while !Task.isCancelled {
                    try? await Task.sleep(until: next, clock: .continuous)
                    await session.report()
                    next = max(next + self.timing.report, .now)
                }
                return nil
            }
            for await end in group where end != nil {
                group.cancelAll()
                return end
            }
            return nil
        }
    }

    /// Stops the rules that the session does not name.
    private func reconcile(_ session: Session) async -> SessionEnd? {
        let start = SuspendingClock.now
        guard await isQuiet(session, for: timing.question, since: start) else { return nil }
        if await session.ask() {
            // The control plane has to read it before the next session begins.
            try? await Task.sleep(for: timing.arrival)
            return Task.isCancelled ? nil : .asked
        }
        guard await isQuiet(session, for: timing.grace, since: start) else { return nil }
        await session.reconcile()
        return nil
    }

    /// Waits until no rule has been pushed for that long; returns false if the session is over. Uses a clock
    /// that stops while the host sleeps, because the control plane cannot send anything then.
    private func isQuiet(
        _ session: Session, for duration: Duration, since start: SuspendingClock.Instant
    ) async -> Bool {
        while true {
            let end = min(await session.lastPush + duration, start + max(timing.longestGrace, duration))
            if end <= .now { return !Task.isCancelled }
            guard (try? await Task.sleep(until: end, clock: .suspending)) != nil else { return false }
        }
    }
}
