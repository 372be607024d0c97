import ControlProtocol

// Metrics of sessions. Their counters begin at 0 with each session.
extension MetricsPage {
    mutating func addSessions(_ sessions: [SessionStatus]) {
        var up = Metric("session_up", .gauge, "Whether the session is up.")
        for session in sessions { up.add(session.state == "up", ["client": session.client]) }
        add(up)
        let labelled = sessions.map { Labelled($0, ["client": $0.client]) }
        each(labelled, "session_key_age_seconds", .gauge, "Time since the keys in use were agreed on.") {
            $0.rekeyAge
        }
        each(labelled, "session_queue_packets", .gauge, "Inner packets waiting for a path.") {
            Double($0.queuePackets)
        }
        each(
            labelled, "session_queue_dropped_packets_total", .counter,
            "Packets dropped before they were assigned to a path, because their flow's queue persisted."
        ) { $0.queue.map { Double($0.dropped) } }
        each(
            labelled, "session_queue_marked_packets_total", .counter,
            "Packets marked before they were assigned to a path, because their flow's queue persisted."
        ) { $0.queue.map { Double($0.marked) } }
        each(labelled, "session_resent_packets_total", .counter, "Packets retransmitted after a loss.") {
            $0.repair.map { Double($0.resent) }
        }
        each(
            labelled, "session_unrepaired_packets_total", .counter,
            "Packets lost and not retransmitted, because it was too late or exceeded the budget."
        ) { $0.repair.map { Double($0.unrepaired) } }
        each(
            labelled, "session_copied_packets_total", .counter,
            "Small packets sent over two paths at once."
        ) { $0.repair.map { Double($0.copied) } }
        addReorder(labelled)
        var drops = Metric("session_drops_total", .counter, "Packets dropped in a session, by reason.")
        for session in sessions {
            for (reason, count) in session.drops.sorted(by: { $0.key < $1.key }) {
                drops.add(count, ["client": session.client, "reason": reason])
            }
        }
        add(drops)
    }

    private mutating func addReorder(_ sessions: [Labelled<SessionStatus>]) {
        each(sessions, "reorder_held_packets", .gauge, "Packets waiting for a predecessor.") {
            Double($0.reorder.held)
        }
        each(sessions, "reorder_late_packets_total", .counter, "Packets that arrived after their deadline.") {
            Double($0.reorder.late)
        }
        each(sessions, "reorder_duplicate_packets_total", .counter, "Duplicate packets discarded.") {
            Double($0.reorder.duplicates)
        }
        each(
            sessions, "reorder_recovered_packets_total", .counter,
            "Lost packets recovered from repair symbols."
        ) { Double($0.reorder.recovered) }
        each(
            sessions, "reorder_deadline_seconds", .gauge,
            "Maximum time a packet waits for a predecessor."
        ) { $0.reorder.deadline / 1000 }
    }
}
