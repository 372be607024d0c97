import Packet

/// What decides how many segments may be under way.
protocol CongestionControl {
    /// Whether it sets the window in recovery, too, and paces; otherwise recovery is the sender's (RFC 6937).
    var ownsWindow: Bool { get }
    /// Segments per second; nil: as ACKs come.
    var pace: Double? { get }
    /// Segments were lost: the slow start threshold from now on.
    mutating func shrink(_ window: Int) -> Int
    /// A timeout.
    mutating func reset()
    /// An ACK came.
    mutating func acknowledge(_ ack: ACKSummary, window: inout Int, threshold: inout Int)
}

/// What a congestion control is told of an ACK.
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
    /// Segments that were found lost by it.
    var lost: Int
    /// The next segment that the receiver waits for, and the next new one.
    var acknowledged: Int
    var next: Int
    /// Segments that have arrived in all.
    var delivered: Int
    var inFlight: Int
    var priorInFlight: Int
    var minimumRTT: Interval
    /// Whether the window was what held the sender up, and data went forward.
    var mayGrow: Bool
}
