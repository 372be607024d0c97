import Engine
import Packet

extension World {
    /// The figures of a trace, by name: of the flows, the tunnel's sending end, and the receiving end's reorder
    /// buffer.
    func trace(from side: Side) -> [(name: String, value: Double)] {
        var line = flows.flatMap { flow in flow.traced.map { ("\(flow.number).\($0.name)", $0.value) } }
        guard let near = stations[side.rawValue] as? TunnelStation,
            let far = stations[side.opposite.rawValue] as? TunnelStation
        else { return line }
        if let session = near.engine.reports(now: now).first {
            line.append(("queued", Double(session.queued)))
            line.append(("drops.queue", Double(near.engine.drops.queueFull)))
            line.append(("drops.expired", Double(near.engine.drops.expired)))
            line.append(("resent", Double(session.counters.resent)))
            line.append(("unrepaired", Double(session.counters.unrepaired)))
            line.append(("repair_symbols", Double(session.counters.repairSymbols)))
            for (index, path) in session.paths.enumerated() {
                line.append(("path\(index).up", path.state == .up ? 1 : 0))
                line.append(("path\(index).rate_mbit", path.rate * 8 / 1e6))
                line.append(("path\(index).link_mbit", capacity(of: lanes[index * 2 + side.rawValue])))
                line.append(("path\(index).rtt_ms", path.rtt.milliseconds))
                line.append(("path\(index).queue_ms", path.queueing.milliseconds))
                line.append(("path\(index).phase", Double(path.phase.rawValue)))
                line.append(("path\(index).loss", path.loss))
                line.append(("path\(index).mtu", Double(path.mtu)))
                line.append(("path\(index).lost", Double(path.counters.lost)))
                line.append(("path\(index).jitter_ms", path.jitter.milliseconds))
                line.append(("path\(index).sent_kB", Double(path.counters.sentBytes / 1000)))
                line.append(
                    ("path\(index).link_drops", Double(lanes[index * 2 + side.rawValue].queueDropped)))
            }
        }
        if let session = far.engine.reports(now: now).first {
            line.append(("held", Double(session.held)))
            line.append(("hold_ms", session.hold.milliseconds))
            line.append(("late", Double(session.reorder.late)))
            line.append(("expired", Double(session.reorder.expired)))
            line.append(("recovered", Double(session.counters.recovered)))
            line.append(("copies", Double(session.reorder.duplicates)))
        }
        return line
    }

    /// Mbit/s that a lane carries in the next 10 ms.
    private func capacity(of lane: Lane) -> Double {
        let model = lane.model
        return model.bits(from: now.nanoseconds, to: now.nanoseconds + 10_000_000) / 1e4
    }
}
