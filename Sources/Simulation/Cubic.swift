import Packet

/// How CUBIC's window grows after a loss and shrinks with it (RFC 9438), in the order of operations of Linux'
/// tcp_cubic.c.
struct Cubic {
    /// What is left of the window after a loss: 717/1024 in Linux.
    private static let beta = 717.0 / 1024
    /// Segments per second³.
    private static let scale = 0.4
    /// The window that Reno would have grows by a segment for so many of its own size acknowledged.
    private static let renoShare = (1 + beta) / (3 * (1 - beta))

    private var lastMaximum = 0.0
    private var epoch: Instant?
    private var origin = 0.0
    private var plateau = 0.0
    private var renoWindow = 0.0
    private var renoAcked = 0.0
    private var credit = 0.0

    /// A loss: the window to go down to.
    mutating func shrink(_ window: Int) -> Int {
        epoch = nil
        let window = Double(window)
        // Fast convergence: who lost before it was back where it had been leaves room for others.
        lastMaximum = window < lastMaximum ? window * (1 + Self.beta) / 2 : window
        return max(Int(window * Self.beta), 2)
    }

    /// A timeout: all is forgotten.
    mutating func reset() { self = Cubic() }

    /// How many segments a window in congestion avoidance grows by for `acked` segments.
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
        // How many segments have to be acknowledged for one more in the window.
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

/// The cube root by Newton's method: the C library's may differ in its last bit from machine to machine.
func cubeRoot(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    var root = value > 1 ? value : 1
    while true {
        let next = (2 * root + value / (root * root)) / 3
        if next >= root { return root }
        root = next
    }
}
