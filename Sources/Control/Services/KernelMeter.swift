import ControlProtocol
import Packet
import Rules

/// The traffic of each service carried by the kernel, over all runs of bondd: its counters restart with each
/// run, and when a service was absent for a while.
struct KernelMeter {
    /// The traffic of one port.
    private struct Count {
        /// The traffic before the counters restarted.
        var before = ServicePortCounters(rule: "", port: 0)
        var last = ServicePortCounters(rule: "", port: 0)
        /// The traffic in the first report.
        var atStart = ServicePortCounters(rule: "", port: 0)

        /// The traffic since the first report.
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

        /// Notes that bondd's counters have restarted.
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

    /// Takes over bondd's counters.
    /// - Returns: the bytes in both directions that each service has carried since the last call. The first
    ///   report only sets the baseline: a previous bondd-control may already have counted those bytes.
    mutating func take(_ counters: ServiceCounters) -> [String: UInt64] {
        let (isFirst, isNew) = (run == nil, run != counters.run)
        run = counters.run
        var more: [String: UInt64] = [:]
        // Ports without traffic are omitted.
        for name in counts.keys {
            for port in counts[name]!.keys {
                if isNew { counts[name]![port]!.beginAnew() }
                counts[name]![port]!.last.connections = 0
            }
        }
        for port in counters.ports {
            // Nothing that bondd reports may trap here.
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

    /// The traffic of a service carried by the kernel, port by port.
    /// - Parameter ofThisRun: whether to leave out the traffic in the first report.
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

    /// Whether a service has open connections in the kernel, as far as reported.
    func isOpen(_ service: String) -> Bool {
        counts[service]?.values.contains { $0.last.connections > 0 } ?? false
    }

    /// Removes all services except these.
    mutating func keep(_ services: Set<String>) {
        counts = counts.filter { services.contains($0.key) }
    }
}
