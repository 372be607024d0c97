import Packet

/// What one ACK shows about a path, checked: rates that are finite and that the path can have carried, whatever
/// the peer claims.
struct Observation: Sendable {
    /// More than any host can seal, in bytes a second: 100 Gbit/s.
    static let highestRate = 12.5e9
    /// The queue that is kept on a path without jitter: Copa's default and RFC 8289's target.
    static let leastTarget = Interval.milliseconds(5)
    /// The queue that is kept next to a neighbor that fills the path's queue: with the usual one the path would
    /// be left with a tenth of the link.
    private static let contestedTarget = Interval.milliseconds(20)

    /// When the ACK came.
    let now: Instant
    /// Rate of arrival at the peer, in bytes a second.
    let arriving: Double
    /// Rate that the path certainly delivered, in bytes a second: neither a compressed ACK nor a late reader
    /// makes it larger than the sending rate.
    let delivered: Double
    /// Arrival rate relative to the rate at which everything left: less than 1 while a queue grows or data is
    /// lost.
    let share: Double
    /// Whether the path could have sent more but had nothing to send.
    let isStarved: Bool
    /// The standing queue; negative if the path is faster than its idle spread suggests.
    let queue: Interval
    /// The queue to aim for: enough that the path never runs dry between two ACKs.
    let target: Interval
    /// A queue longer than this is certain.
    let significant: Interval
    /// How far `share` may be from 1 by jitter alone.
    let tolerance: Double
    /// The smoothed round trip.
    let roundTrip: Interval

    /// - Parameters:
    ///   - known: the rate that the path is known to carry, in bytes a second. Beyond it no more arrives than
    ///     was sent, and a quarter.
    ///   - isContested: whether a neighbor fills the path's queue.
    ///   - span: the time that the sample is about.
    init(
        _ sample: DeliveryHistory.Sample, known: Double, isStarved: Bool, isContested: Bool, span: Interval,
        delay: borrowing DelayModel, rtt: borrowing RoundTripTime, now: Instant
    ) {
        self.now = now
        self.isStarved = isStarved
        arriving = min(max(sample.arriving, 0), max(known, sample.sending * 1.25), Self.highestRate)
        delivered = min(max(min(sample.sending, sample.arriving), 0), Self.highestRate)
        share = sample.arriving / max(sample.offered, 1)
        queue = delay.standing
        target = max(isContested ? Self.contestedTarget : Self.leastTarget, delay.jitter / 2)
        significant = max(target, rtt.smoothed / 10, delay.jitter)
        tolerance = max(0.03, min(0.25, 2 * delay.jitter.seconds / span.seconds))
        roundTrip = rtt.smoothed
    }
}
