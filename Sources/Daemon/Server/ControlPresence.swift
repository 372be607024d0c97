import Packet

/// The time of bondd-control's last request. Clients and services stay in force without it, which the status
/// reports.
struct ControlPresence {
    private let startedAt: Instant
    private var seenAt: Instant?

    /// Silence beyond this is reported. bondd-control asks for usage every 5 s.
    private static let longestAbsence = Interval.seconds(60)

    init(startedAt: Instant) { self.startedAt = startedAt }

    /// bondd-control has asked for something.
    mutating func note(now: Instant) { seenAt = now }

    /// A notice that clients and services stay in force although bondd-control is silent; nil if it is not,
    /// or there are none.
    func notice(clients: Int, services: Int, now: Instant) -> String? {
        let absence = now - (seenAt ?? startedAt)
        guard absence >= Self.longestAbsence, clients + services > 0 else { return nil }
        let since =
            seenAt == nil
            ? "has not been seen since bondd started" : "has not been seen for \(Self.text(absence))"
        let left = [Self.text(clients, "invited client"), Self.text(services, "service")].compactMap(\.self)
        return
            "bondd-control \(since): \(left.joined(separator: " and ")) \(clients + services == 1 ? "stays" : "stay") as it left them; start it, or revoke a client with: bondd clients revoke NAME"
    }

    private static func text(_ count: Int, _ noun: String) -> String? {
        count == 0 ? nil : "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    private static func text(_ interval: Interval) -> String {
        let minutes = Int(interval.seconds / 60)
        return minutes < 120
            ? "\(minutes) min" : minutes < 2880 ? "\(minutes / 60) h" : "\(minutes / 1440) days"
    }
}
