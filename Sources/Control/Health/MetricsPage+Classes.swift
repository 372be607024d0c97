import ControlProtocol

// Metrics of classes of service. Their counters begin at 0 with each session.
extension MetricsPage {
    mutating func addClasses(_ sessions: [SessionStatus]) {
        each(sessions, "class_tx_bytes_total", .counter, "Bytes of packets sent in the class.") {
            Double($0.sentBytes)
        }
        each(sessions, "class_tx_packets_total", .counter, "Packets sent in the class.") {
            Double($0.sentPackets)
        }
        each(
            sessions, "class_dropped_packets_total", .counter,
            "Packets of the class dropped before they were assigned to a path."
        ) { Double($0.dropped) }
        each(
            sessions, "class_marked_packets_total", .counter,
            "Packets of the class marked before they were assigned to a path."
        ) { Double($0.marked) }
        each(sessions, "class_queue_packets", .gauge, "Packets of the class waiting for a path.") {
            Double($0.queuePackets)
        }
    }

    private mutating func each(
        _ sessions: [SessionStatus], _ name: String, _ kind: Metric.Kind, _ help: String,
        _ value: (ClassStatus) -> Double
    ) {
        var metric = Metric(name, kind, help)
        for session in sessions {
            for one in session.classes ?? [] {
                metric.add(value(one), ["client": session.client, "class": one.name])
            }
        }
        add(metric)
    }
}
