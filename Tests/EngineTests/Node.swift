import Packet
import Scheduler

@testable import Engine

/// One end of the tunnel: an Engine, and its output.
final class Node {
    let name: String
    var engine: Engine
    var outbox = Outbox()
    /// Seconds by which its time of day is wrong.
    var wallOffset: Int64 = 0
    /// By how much its clock is ahead of the world's.
    let clockOffset: Interval
    /// A node that is not alive neither receives nor sends.
    var isAlive = true
    /// Every inner packet that arrived, with its time; see `keepsDeliveries`.
    var delivered: [(time: Instant, packet: Probe)] = []
    /// Whether to fill `delivered`: a test with a million packets does not need it.
    var keepsDeliveries = true
    /// The packets that arrived, flow by flow.
    var flows = FlowLedger()
    var events: [EngineEvent] = []
    var nonces = NonceLedger()
    /// Bytes of the slab that were released.
    var givenBack = 0
    /// Receives the bytes of every packet that arrives.
    var onPacket: (([UInt8]) -> Void)?
    /// Called for every delivery.
    var onDelivery: ((Probe) -> Void)?

    init(name: String, engine: consuming Engine, clockOffset: Interval = .zero) {
        self.name = name
        self.clockOffset = clockOffset
        self.engine = engine
    }

    /// The time on its clock.
    func time(_ now: Instant) -> Instant { now + clockOffset }

    /// When it needs to be called next, on the world's clock.
    var nextDeadline: Instant {
        let deadline = engine.nextDeadline()
        return deadline == .zero || deadline == .never ? deadline : deadline - clockOffset
    }

    /// The session with a peer.
    func session(_ peer: Int = 0) -> UnsafeMutablePointer<Session>? { engine.peers[peer].session }

    /// The number of buffers in use.
    var buffers: Int { engine.resources.pool.inUse }

    var drops: DropCounters { engine.resources.drops }

    /// The states of a path in order, from the events.
    func states(of path: UInt16) -> [PathLiveness.State] {
        events.compactMap { event in
            if case .pathChanged(_, path, let state) = event { state } else { nil }
        }
    }

    /// The number of sessions established; with `continuing`, of those with new keys.
    func established(continuing: Bool) -> Int {
        events.count { if case .established(_, continuing) = $0 { true } else { false } }
    }

    /// The number of sessions that have ended.
    var closed: Int { events.count { if case .closed = $0 { true } else { false } } }
}
