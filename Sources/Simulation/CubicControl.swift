import Packet

/// CUBIC with HyStart, as in Linux.
struct CubicControl: CongestionControl {
    let ownsWindow = false
    let pace: Double? = nil
    private var cubic = Cubic()
    private var start = HyStart()

    mutating func shrink(_ window: Int) -> Int { cubic.shrink(window) }

    mutating func reset() {
        cubic.reset()
        start.reset()
    }

    mutating func acknowledge(_ ack: ACKSummary, window: inout Int, threshold: inout Int) {
        if let rtt = ack.news.rtt, window < threshold,
            start.isOver(
                acknowledged: ack.acknowledged, sent: ack.next, window: window, rtt: rtt,
                minimum: ack.minimumRTT, now: ack.now)
        {
            threshold = window
        }
        guard ack.mayGrow else { return }
        var acked = ack.news.delivered
        if window < threshold {
            let grown = min(window + acked, threshold)
            acked -= grown - window
            window = grown
        }
        if acked > 0 {
            window += cubic.growth(
                window: window, acked: acked, minimumRTT: ack.minimumRTT, now: ack.now)
        }
    }
}
