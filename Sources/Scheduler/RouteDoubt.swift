import Packet

/// The doubt whether a standing queue is ours. One that stays although less is sent, while all of that arrives,
/// is a longer route, such as after a satellite's handover, or a neighbor's. A route becomes longer now and then;
/// if it seems to again and again, a neighbor fills the queue that the path shares with it.
struct RouteDoubt: Sendable {
    /// Two longer routes within this time are a neighbor: Starlink changes its routes every 15 s.
    private static let repetition = Interval.seconds(5)
    /// How long a neighbor is expected to stay.
    private static let memory = Interval.seconds(10)

    private var began = Instant.zero
    /// The queue when the doubt began; `nil` without doubt.
    private var standing: Interval?
    private var lastCertain: Instant?
    private var contestedUntil = Instant.zero

    /// Whether a neighbor fills the path's queue.
    func isContested(now: Instant) -> Bool { now < contestedUntil }

    /// Takes the queue after an ACK.
    /// - Parameter isReduced: whether markedly less is sent than the path carries, and all of it arrives.
    /// - Returns: whether the queue is certainly not ours, so that the delay's minimum must be measured again.
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
        if let lastCertain, now - lastCertain < Self.repetition { contestedUntil = now + Self.memory }
        lastCertain = now
        return true
    }
}
