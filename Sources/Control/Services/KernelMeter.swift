import ControlProtocol
import Packet
import Rules

/// What the kernel has carried of each service, over all runs of bondd: its counters begin anew with each, and when a service
/// was gone for a while.
struct KernelMeter {
    /// Of one port.
    private struct Count {
        /// What was counted before the counters began anew.
        var before = ServicePortCounters(rule: "", port: 0)
        var last = ServicePortCounters(rule: "", port: 0)
        /// What was there the first time of all.
        var atStart = ServicePortCounters(rule: "", port: 0)

        /// What was counted since the first time of all.
        var trafficOfThisRun: (bytesIn: Int, bytesOut: Int, packetsIn: Int, packetsOut: Int) {
            let all = traffic
            return (
                all.bytesIn &- atStart.bytesIn, all.bytesOut &- atStart.bytesOut,
                all.packetsIn &- atStart.packetsIn, all.packetsOut &- atStart.packetsOut
            )
        }

        var traffic: (bytesIn: Int, bytesOut: Int, packetsIn: Int, packetsOut: Int) {
            (
                before.bytesIn &+ last.bytesIn, before.bytesOut &+ last.bytesOut,
                before.packetsIn &+ last.packetsIn, before.packetsOut &+ last.packetsOut
            )
        }

        /// bondd's counters began anew.
        mutating func beginAnew() {
            before.bytesIn &+= last.bytesIn
            before.bytesOut &+= last.bytesOut
            before.packetsIn &+= last.packetsIn
            before.packetsOut &+= last.packetsOut
            last = ServicePortCounters(rule: "", port: 0)
        }
    }

    private var run: String?
    private var counts: [String: [Int: Count]] = [:]

    /// Takes bondd's counters.
    /// - Returns: the bytes, both directions together, that each service has carried since the last time. What was there the
    ///   first time of all is not among them, as an earlier bondd-control may have seen it.
    mutating func take(_ counters: ServiceCounters) -> [String: UInt64] {
        let (isFirst, isNew) = (run == nil, run != counters.run)
        run = counters.run
        var more: [String: UInt64] = [:]
        // Ports that carried nothing are left out.
        for name in counts.keys {
            for port in counts[name]!.keys {
                if isNew { counts[name]![port]!.beginAnew() }
                counts[name]![port]!.last.connections = 0
            }
        }
        for port in counters.ports {
            // Nothing that bondd says may trap here.
            guard port.bytesIn >= 0, port.bytesOut >= 0, port.packetsIn >= 0, port.packetsOut >= 0 else {
                continue
            }
            var count = counts[port.rule]?[port.port] ?? Count()
            let old = count.traffic
            if port.bytesIn < count.last.bytesIn || port.bytesOut < count.last.bytesOut { count.beginAnew() }
            count.last = port
            if isFirst { count.atStart = port }
            counts[port.rule, default: [:]][port.port] = count
            let new = count.traffic
            if !isFirst {
                more[port.rule, default: 0] +=
                    UInt64(clamping: new.bytesIn &- old.bytesIn)
                    + UInt64(clamping: new.bytesOut &- old.bytesOut)
            }
        }
        return more
    }

    /// What the kernel has carried of a service, port for port.
    /// - Parameter ofThisRun: without what was there the first time of all.
    func ports(of service: String, _ transport: TransportProtocol, ofThisRun: Bool = false) -> [PortReport] {
        (counts[service] ?? [:]).sorted { $0.key < $1.key }.map { port, count in
            var traffic = Traffic()
            let total = ofThisRun ? count.trafficOfThisRun : count.traffic
            traffic.bytesIn = UInt64(clamping: total.bytesIn)
            traffic.bytesOut = UInt64(clamping: total.bytesOut)
            switch transport {
            case .tcp: traffic.connections = max(0, count.last.connections)
            case .udp:
                traffic.flows = max(0, count.last.connections)
                traffic.datagramsIn = UInt64(clamping: total.packetsIn)
                traffic.datagramsOut = UInt64(clamping: total.packetsOut)
            }
            return PortReport(port: UInt16(clamping: port), traffic: traffic)
        }
    }

    /// Whether anything of a service is open in the kernel, as far as that was said.
    func isOpen(_ service: String) -> Bool {
        counts[service]?.values.contains { $0.last.connections > 0 } ?? false
    }

    /// Forgets all services but these.
    mutating func keep(_ services: Set<String>) {
        counts = counts.filter { services.contains($0.key) }
    }
}
