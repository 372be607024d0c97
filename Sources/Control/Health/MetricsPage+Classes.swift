import ControlProtocol

// Metrics of classes of service. Their counters begin at 0 with each session.
extension MetricsPage {
    mutating func addClasses(_ sessions: [SessionStatus]) {
        let classes = sessions.flatMap { session in
            (session.classes ?? []).map { Labelled($0, ["client": session.client, "class": $0.name]) }
        }
        each(classes, "class_tx_bytes_total", .counter, "Bytes of packets sent in the class.") {
            Double($0.sentBytes)
        }
        each(classes, "class_tx_packets_total", .counter, "Packets sent in the class.") {
            Double($0.sentPackets)
        }
        each(
            classes, "class_dropped_packets_total", .counter,
            "Packets of the class dropped before they were assigned to a path."
        ) { Double($0.dropped) }
        each(
            classes, "class_marked_packets_total", .counter,
            "Packets of the class marked before they were assigned to a path."
        ) { Double($0.marked) }
        each(classes, "class_queue_packets", .gauge, "Packets of the class waiting for a path.") {
            Double($0.queuePackets)
        }
    }
}
