import Packet

/// The doubt whether a standing queue is a queue. One that stays although less is sent, while all of that
/// arrives, is a longer route, such as after a satellite's handover.
struct RouteDoubt: Sendable {
    private var began = Instant.zero
    /// The queue when the doubt began; `nil` without doubt.
    private var standing: Interval?

    /// Takes the queue after an ACK.
    /// - Parameter isReduced: whether markedly less is sent than the path carries, and all of it arrives.
    /// - Returns: whether the delay's minimum must be measured again.
    mutating func heed(_ queue: Interval, isReduced: Bool, patience: Interval, now: Instant) -> Bool {
        guard isReduced else {
            standing = nil
            return false
        }
        guard let standing, queue > standing * 4 / 5 else {
            (standing, began) = (queue, now)
            return false
        }
        guard now - began > patience else { return false }
        self.standing = nil
        return true
    }
}
