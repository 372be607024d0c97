import GRPCCore
import GRPCProtobuf
import Rules
import Settings
import Synchronization

/// The connection to a control plane: keeps a session with it, brings what it says to a keeper, and reports. Losing it changes
/// nothing that is carried.
public final class ControlPlane: Sendable {
    private let bundle: Bundle
    private let keeper: any RuleKeeper
    private let log: Log
    private let version: String
    private let timing: Timing
    private let work = Mutex(Work())

    private struct Work {
        var task: Task<Void, Never>?
        var isStopped = false
    }

    /// - Parameters:
    ///   - bundle: what enrolment gave.
    ///   - keeper: is called one call at a time.
    ///   - log: gets what the keeper can't know: rules that can't be read, pushes that it leaves without an answer.
    ///   - version: this program's, as the control plane shows it.
    public init(
        bundle: Bundle, keeper: any RuleKeeper, log: Log, version: String = Product.version,
        timing: Timing = Timing()
    ) {
        self.bundle = bundle
        self.keeper = keeper
        self.log = log
        // The control plane goes by the version of its own client, and reads what is before the plus.
        self.version = "3.1.0+bondd.\(version)"
        self.timing = timing
    }

    /// Connects, and connects again whenever the session ends, until `stop`. Once.
    public func start() {
        work.withLock { work in
            guard work.task == nil, !work.isStopped else { return }
            work.task = Task { await self.run() }
        }
    }

    /// Ends the session. A call of the keeper that is under way ends by itself; no other begins then.
    public func stop() {
        work.withLock { work in
            work.isStopped = true
            work.task?.cancel()
        }
    }

    private func run() async {
        guard let endpoint = HostPort(bundle.endpoint), let pin = Pin(bundle.pin), bundle.fault == nil else {
            let fault = "the bundle is no use: \(bundle.fault ?? "it is not whole")"
            log(.error, "the control plane is not asked", ["reason": fault])
            return keeper.stateChanged(.connecting(fault))
        }
        var state = PlaneState.connecting(nil)
        keeper.stateChanged(state)
        var backoff = Backoff(first: timing.firstPause, longest: timing.longestPause)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let session = Session(
                keeper: keeper, log: log, version: version, patience: timing.acknowledgement)
            let start = ContinuousClock.now
            let end = await hold(session, endpoint, pin)
            session.close()
            guard !Task.isCancelled else { return }
            if await session.isWelcome {
                state = .connected
                // Two clients with one token end each other's sessions; they should not do that ever faster.
                if start.duration(to: .now) >= timing.steady { backoff.reset() }
            }
            let next = Self.state(after: end)
            if next != state {
                keeper.stateChanged(next)
                state = next
            }
            if case .unauthorized = next { return }
            try? await Task.sleep(for: backoff.pause(using: &generator))
        }
    }

    private static func state(after end: SessionEnd) -> PlaneState {
        switch end {
        case .closed:
            .connecting("the control plane ended the session; another client may have the same token")
        case .broken(let reason): .connecting(reason)
        case .unauthorized(let word): .unauthorized(word)
        case .wrongCertificate: .wrongCertificate
        }
    }

    /// Connects, and returns when that failed or the session is over.
    private func hold(_ session: Session, _ endpoint: HostPort, _ pin: Pin) async -> SessionEnd {
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
        // Of several addresses, one may be somebody else's.
        if case .broken = end, line.sawAnotherCertificate, await !session.isWelcome {
            return .wrongCertificate
        }
        return end
    }

    /// The stream: what is said and what comes.
    private func talk(_ session: Session, _ line: Line) async -> SessionEnd {
        do {
            return try await line.connect { client in
                let request = StreamingClientRequest<Portunus_V1_ClientMessage>(
                    metadata: ["authorization": "Bearer \(bundle.token)"]
                ) { writer in
                    for await message in session.outgoing { try await writer.write(message) }
                }
                return try await Portunus_V1_Control.Client(wrapping: client).channel(
                    request: request, serializer: ProtobufSerializer(), deserializer: ServerMessages(),
                    options: .defaults
                ) { response in
                    for try await message in response.messages { await session.receive(message) }
                    return SessionEnd.closed
                }
            }
        } catch let error as RPCError where error.code == .unauthenticated {
            return .unauthorized(error.message.isEmpty ? "unauthenticated" : error.message.prefixed)
        } catch let error as RPCError {
            return .broken(error.words)
        } catch {
            return .broken("\(error)".prefixed)
        }
    }

    /// What a session does by the clock.
    /// - Returns: why it is over, if time tells so.
    private func keepTime(_ session: Session) async -> SessionEnd? {
        let began = await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in session.welcome {} }
            group.addTask { try? await Task.sleep(for: self.timing.welcome) }
            await group.next()
            group.cancelAll()
            return await session.isWelcome
        }
        guard began else { return .broken("it does not answer as a control plane") }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Not by a clock that goes on while the host sleeps, as the control plane can say nothing then.
                guard (try? await Task.sleep(for: self.timing.grace, clock: .suspending)) != nil else {
                    return
                }
                await session.reconcile()
            }
            group.addTask {
                var next = ContinuousClock.now
                while !Task.isCancelled {
                    next = max(next + self.timing.report, .now)
                    try? await Task.sleep(until: next, clock: .continuous)
                    await session.report()
                }
            }
        }
        return nil
    }
}
