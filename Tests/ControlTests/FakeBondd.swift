import ControlProtocol
import Dispatch
import Glibc
import Packet
import Proto
import Synchronization

/// bondd's side of its socket, without tunnels. It refuses a handover older than the last, and records everything.
final class FakeBondd: Sendable {
    struct State {
        var status = Status(
            version: "0.1.0", role: "server", mode: "auto", interface: "bond0", mtu: 1400, uptime: 5)
        var usage = UsageReport(run: "1")
        /// Pending enrolments, by number.
        var waiting: [Int: Enrolment] = [:]
        var lastEnrolment = 0
        /// The outcome of each enrolment, in order.
        var settled: [(enrolment: Enrolment, outcome: EnrolOutcome)] = []
        var handovers: [Handover] = []
        var refused = 0
        /// The keys of clients revoked in bondd.
        var revoked: Set<String> = []
        var statusQuestions = 0
        /// The services handed over, in order.
        var carried: [[HandedService]] = []
        /// The services it leaves out, and why.
        var leftOut: [String: String] = [:]
        var counters = ServiceCounters(run: "1")
        /// While set, it answers nothing.
        var isSilent = false
        var goesOn = true
        /// Called for each handover and settlement.
        var onHandover: (@Sendable (Handover) -> Void)?
        var onSettle: (@Sendable (Enrolment, EnrolOutcome) -> Void)?
    }

    let path: String
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// Listens on `path` on another thread until `stop`.
    init(path: String) throws {
        self.path = path
        let started = DispatchSemaphore(value: 0)
        let failure = Mutex<SocketError?>(nil)
        Thread.detach {
            do throws(SocketError) {
                var socket = try ControlSocket<Request, Response>(path: path)
                started.signal()
                self.serve(&socket)
            } catch {
                failure.withLock { $0 = error }
                started.signal()
            }
            self.ended.signal()
        }
        started.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    func with<Value>(_ body: (inout sending State) -> sending Value) -> sending Value {
        state.withLock { body(&$0) }
    }

    func stop() {
        with { $0.goesOn = false }
        ended.wait()
    }

    /// Adds an enrolment request, unless the same one is pending.
    func enrol(_ key: String, by invitation: Int) {
        with { state in
            if state.waiting.values.contains(where: { $0.publicKey == key && $0.invitation == invitation }) {
                return
            }
            state.lastEnrolment += 1
            state.waiting[state.lastEnrolment] = Enrolment(
                id: state.lastEnrolment, invitation: invitation, publicKey: key, host: "host")
        }
    }

    private func serve(_ socket: inout ControlSocket<Request, Response>) {
        var awaiting: [(ControlSocket<Request, Response>.ClientID, ContinuousClock.Instant)] =
            []
        while with({ $0.goesOn }) {
            var watched = pollfd(fd: socket.fileDescriptor, events: Int16(POLLIN), revents: 0)
            poll(&watched, 1, 3)
            for call in socket.takeRequests() {
                if with({ $0.isSilent }) { continue }
                if case .awaitEnrolments = call.request {
                    awaiting.append((call.client, .now))
                } else {
                    let answer = answer(call.request)
                    socket.reply(answer, to: call.client)
                }
            }
            let waiting = with { state in state.waiting.values.sorted { $0.id < $1.id } }
            for (client, since) in awaiting where !waiting.isEmpty || .now - since > .seconds(20) {
                socket.reply(.enrolments(waiting), to: client)
            }
            if !waiting.isEmpty { awaiting = [] }
        }
    }

    private func answer(_ request: Request) -> Response {
        with { state in
            switch request {
            case .status:
                state.statusQuestions += 1
                return .status(state.status)
            case .usage: return .usage(state.usage)
            case .handOver(let handover):
                if handover.revision < state.handovers.last?.revision ?? 0 {
                    state.refused += 1
                    return .failed("the handover is older than the last")
                }
                state.handovers.append(handover)
                state.onHandover?(handover)
                let known = handover.clients.map(\.publicKey).filter(state.revoked.contains)
                return known.isEmpty ? .ok : .revoked(known)
            case .settle(let id, let outcome):
                guard let enrolment = state.waiting.removeValue(forKey: id) else {
                    return .failed("there is no such enrolment")
                }
                state.settled.append((enrolment, outcome))
                state.onSettle?(enrolment, outcome)
                return .ok
            case .carry(let services):
                state.carried.append(services)
                let names = services.map(\.rule)
                let refused = state.leftOut.filter { names.contains($0.key) }
                return refused.isEmpty ? .ok : .carried(refused: refused)
            case .services: return .services(state.counters)
            case .ping: return .ok
            default: return .failed("not asked in tests")
            }
        }
    }
}

/// Threads for blocking work.
enum Thread {
    static func detach(_ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "test").async(execute: body)
    }
}

/// Waits until a condition holds.
func eventually(_ seconds: Double = 10, _ condition: () -> Bool) -> Bool {
    for _ in 0..<Int(seconds * 200) {
        if condition() { return true }
        usleep(5000)
    }
    return condition()
}
