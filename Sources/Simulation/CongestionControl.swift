import Packet

/// A congestion control, which determines how many segments may be in flight.
protocol CongestionControl {
    /// Whether it also sets the window during recovery, and paces; otherwise the sender handles recovery (RFC
    /// 6937).
    var ownsWindow: Bool { get }
    /// The pacing rate in segments per second; nil means driven by ACKs.
    var pace: Double? { get }
    /// Handles a loss; returns the new slow start threshold.
    mutating func shrink(_ window: Int) -> Int
    /// Handles a timeout.
    mutating func reset()
    /// Handles an ACK.
    mutating func acknowledge(_ ack: ACKSummary, window: inout Int, threshold: inout Int)
}

/// The data about an ACK passed to a congestion control.
struct ACKSummary {
    enum State {
        case open
        case recovery
        case loss
    }

    var now: Instant
    var news: Scoreboard.News
    /// The sender's state after the ACK.
    var state: State
    /// The number of segments that it revealed as lost.
    var lost: Int
    /// The next segment expected by the receiver, and the next new one.
    var acknowledged: Int
    var next: Int
    /// The total number of segments delivered.
    var delivered: Int
    var inFlight: Int
    var priorInFlight: Int
    /// The number of segments that arrived marked.
    var marked = 0
    var minimumRTT: Interval
    /// Whether the window limited the sender, and new data was acknowledged.
    var mayGrow: Bool
}
