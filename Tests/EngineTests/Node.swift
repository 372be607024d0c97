import Packet
import Scheduler

@testable import Engine

/// One end of the tunnel: an Engine, and what came out of it.
final class Node {
    let name: String
    var engine: Engine
    var outbox = Outbox()
    /// Seconds by which its time of day is wrong.
    var wallOffset: Int64 = 0
    /// By how much its clock is ahead of the world's.
    let clockOffset: Interval
    /// A node that is not alive hears nothing and says nothing.
    var isAlive = true
    /// Every inner packet that came out, with its time; see `keepsDeliveries`.
    var delivered: [(time: Instant, packet: Probe)] = []
    /// Whether `delivered` is filled: a million packets need not be.
    var keepsDeliveries = true
    /// What came out, flow by flow.
    var flows = FlowLedger()
    var events: [EngineEvent] = []
    var nonces = NonceLedger()
    /// Bytes of the slab that were given back.
    var givenBack = 0
    /// Sees the bytes of every packet that comes out.
    var onPacket: (([UInt8]) -> Void)?
    /// Called for every delivery.
    var onDelivery: ((Probe) -> Void)?

    init(name: String, engine: consuming Engine, clockOffset: Interval = .zero) {
        self.name = name
        self.clockOffset = clockOffset
        self.engine = engine
    }

    /// What its clock says.
    func time(_ now: Instant) -> Instant { now + clockOffset }

    /// When it wants to be called next, on the world's clock.
    var nextDeadline: Instant {
        let deadline = engine.nextDeadline()
        return deadline == .zero || deadline == .never ? deadline : deadline - clockOffset
    }

    /// The session with a peer.
    func session(_ peer: Int = 0) -> UnsafeMutablePointer<Session>? { engine.peers[peer].session }

    /// How many buffers are in use.
    var buffers: Int { engine.resources.pool.inUse }

    var drops: DropCounters { engine.resources.drops }

    /// The states that a path went through, by the events.
    func states(of path: UInt16) -> [PathLiveness.State] {
        events.compactMap { event in
            if case .pathChanged(_, path, let state) = event { state } else { nil }
        }
    }

    /// How many sessions were set up; `continuing`: how many got new keys.
    func established(continuing: Bool) -> Int {
        events.count { if case .established(_, continuing) = $0 { true } else { false } }
    }

    /// How many sessions have ended.
    var closed: Int { events.count { if case .closed = $0 { true } else { false } } }
}
