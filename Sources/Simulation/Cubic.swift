import Packet

/// CUBIC's growth of the window and its reduction after a loss (RFC 9438), in the order of operations of Linux'
/// tcp_cubic.c.
struct Cubic {
    /// The factor of the window after a loss: 717/1024 in Linux.
    private static let beta = 717.0 / 1024
    /// C of RFC 9438, in segments per second³.
    private static let scale = 0.4
    /// The share of its own size in acknowledged segments for which Reno's window grows by one segment.
    private static let renoShare = (1 + beta) / (3 * (1 - beta))

    private var lastMaximum = 0.0
    private var epoch: Instant?
    private var origin = 0.0
    private var plateau = 0.0
    private var renoWindow = 0.0
    private var renoAcked = 0.0
    private var credit = 0.0

    /// Handles a loss; returns the new window.
    mutating func shrink(_ window: Int) -> Int {
        epoch = nil
        let window = Double(window)
        // Fast convergence: a flow whose loss comes before it was back at its previous maximum makes room for
        // others.
        lastMaximum = window < lastMaximum ? window * (1 + Self.beta) / 2 : window
        return max(Int(window * Self.beta), 2)
    }

    /// Handles a timeout by resetting the state.
    mutating func reset() { self = Cubic() }

    /// The number of segments by which the window grows in congestion avoidance for `acked` segments.
    mutating func growth(window: Int, acked: Int, minimumRTT: Interval, now: Instant) -> Int {
        let size = Double(window)
        if epoch == nil {
            epoch = now
            renoWindow = size
            renoAcked = 0
            plateau = lastMaximum <= size ? 0 : cubeRoot((lastMaximum - size) / Self.scale)
            origin = max(lastMaximum, size)
        }
        let time = (now - epoch! + minimumRTT).seconds - plateau
        let target = origin + Self.scale * time * time * time
        // The number of acknowledged segments for each segment of growth.
        var count = target > size ? size / (target - size) : 100 * size
        if lastMaximum == 0 { count = min(count, 20) }
        renoAcked += Double(acked)
        let needed = size * Self.renoShare
        while renoAcked > needed {
            renoAcked -= needed
            renoWindow += 1
        }
        if renoWindow > size { count = min(count, size / (renoWindow - size)) }
        count = max(count, 2)
        credit += Double(acked) / count
        let whole = Int(credit)
        credit -= Double(whole)
        return whole
    }
}

/// The cube root by Newton's method: the C library's may differ in its last bit between machines.
func cubeRoot(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    var root = value > 1 ? value : 1
    while true {
        let next = (2 * root + value / (root * root)) / 3
        if next >= root { return root }
        root = next
    }
}
