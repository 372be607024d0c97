import Packet
import Scheduler

/// A path as a fluid, always with data to send: a policer, a drop-tail queue that drains at a rate, loss, and an
/// ACK every 5 ms.
struct FluidPath: ~Copyable {
    private struct Batch {
        var arrivals: Arrivals
        var acknowledgedAt: Instant
    }

    private static let step = Interval.milliseconds(1)
    private static let datagram = 1400.0

    var model = RateModel()
    private var delay = DelayModel()
    private var rtt = RoundTripTime()
    private(set) var now = Instant(nanoseconds: 10_000_000_000)

    /// Rate in bytes a second, one-way delay, and depth of the queue.
    var rate: Double
    var oneWay: Interval
    var depth: Interval
    /// A token bucket: rate in bytes a second and depth in bytes.
    var policer: (rate: Double, depth: Double)?
    /// Share of the datagrams that the radio loses.
    var loss = 0.0

    private var tokens = 0.0
    private var queue = 0.0
    private var (left, arrived, lost) = (0.0, 0.0, 0.0)
    private var (reportedArrived, reportedLost) = (0, 0)
    private var batches: [Batch] = []
    private var steps = 0

    init(megabits: Double, oneWay: Interval = .milliseconds(20), depth: Interval = .milliseconds(100)) {
        (rate, self.oneWay, self.depth) = (megabits * 125_000, oneWay, depth)
        rtt.record(oneWay * 2, now: now)
        delay.record(oneWay, idle: true, now: now)
    }

    /// The path's rate as the model knows it, in Mbit/s.
    var megabits: Double { (model.rate ?? 0) / 125_000 }
    /// The delay that the queue adds now.
    var standing: Interval { Interval(nanoseconds: Int64(queue / rate * 1e9)) }
    /// Bytes sent and lost so far.
    var totals: (sent: Double, lost: Double) { (left, lost) }

    /// Whether the model says that the delay's minimum has to be measured again, and it was.
    private(set) var hasNewFloor = false

    mutating func run(for length: Interval) {
        let end = now + length
        while now < end {
            now = now + Self.step
            send()
            while let batch = batches.first, batch.acknowledgedAt <= now {
                batches.removeFirst()
                acknowledge(batch.arrivals)
            }
        }
    }

    private mutating func send() {
        let sent = model.pacingRate(rtt) * Self.step.seconds
        var accepted = sent
        if let policer {
            tokens = min(tokens + policer.rate * Self.step.seconds, policer.depth)
            accepted = min(accepted, tokens)
            tokens -= accepted
        }
        accepted = max(min(accepted, rate * depth.seconds - queue), 0)
        queue += accepted
        let waits = Interval(nanoseconds: Int64(queue / rate * 1e9))
        queue = max(queue - rate * Self.step.seconds, 0)
        left += sent
        arrived += accepted * (1 - loss)
        lost += sent - accepted * (1 - loss)
        steps += 1
        guard steps % 5 == 0 else { return }
        let (arrivedCount, lostCount) = (Int(arrived / Self.datagram), Int(lost / Self.datagram))
        batches.append(
            Batch(
                arrivals: Arrivals(
                    sent: now, received: now + waits + oneWay, bytes: UInt64(arrived),
                    left: UInt32(truncatingIfNeeded: UInt64(left)),
                    acknowledged: arrivedCount - reportedArrived, lost: lostCount - reportedLost,
                    isStarved: false),
                acknowledgedAt: now + waits + oneWay * 2))
        (reportedArrived, reportedLost) = (arrivedCount, lostCount)
    }

    private mutating func acknowledge(_ arrivals: Arrivals) {
        rtt.record(now - arrivals.sent, now: now)
        delay.record(arrivals.received - arrivals.sent, now: now)
        model.record(arrivals, delay: delay, rtt: rtt, now: now)
        if model.takeStaleFloor() {
            delay.restartFloor(now: now)
            rtt.restartFloor(now: now)
            hasNewFloor = true
        }
    }
}
