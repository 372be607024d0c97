import Packet

/// What the networks along a path do to ECN codepoints, and whether both directions can use them (in the spirit of RFC 9000
/// section 13.4).
///
/// A datagram leaves with the codepoint of the packet in it, control datagrams with Not-ECT. So one that left as Not-ECT and
/// arrives as CE was rewritten: the marks of such a path say nothing of congestion. And a network that drops whatever has a
/// codepoint lets everything else through.
public struct PathMarks: ~Copyable, Sendable {
    /// So many false marks within `falseWindow` are no accident.
    static let falseMarks = 3
    static let falseWindow = Interval.seconds(10)
    /// So many marked datagrams in a row that did not arrive, while others did, are no accident: as many as QUIC sends to try
    /// a path (RFC 9000 section A.4 has 10), less those that a window of 10 may not fill.
    static let misses = 8
    /// How long a verdict stands. Routes change.
    static let verdict = Interval.seconds(600)

    private var seen = 0
    private var firstSeen = Instant.zero
    private var distrustedUntil = Instant.zero
    private var missed = 0
    private var plainArrived = 0
    private var unmarkedUntil = Instant.zero

    /// Nothing known: the path is taken to treat codepoints as it should.
    public init() {}

    // MARK: - From the peer

    /// Whether the marks of what arrives are worth something.
    public func areTrusted(now: Instant) -> Bool { now >= distrustedUntil }

    /// A datagram arrived as CE that had left as Not-ECT.
    /// - Returns: whether that is why marks are distrusted from now on.
    public mutating func sawFalseMark(now: Instant) -> Bool {
        if now - firstSeen > Self.falseWindow {
            seen = 0
            firstSeen = now
        }
        seen += 1
        guard seen >= Self.falseMarks else { return false }
        let isNews = areTrusted(now: now)
        distrustedUntil = now + Self.verdict
        return isNews
    }

    // MARK: - To the peer

    /// Whether datagrams may leave with a codepoint.
    public func mayLeave(now: Instant) -> Bool { now >= unmarkedUntil }

    /// Takes what an ACK says of datagrams with and without a codepoint.
    /// - Returns: whether none may leave with one from now on.
    public mutating func record(markedArrived: Int, markedMissed: Int, plainArrived: Int, now: Instant)
        -> Bool
    {
        if markedArrived > 0 {
            missed = 0
            self.plainArrived = 0
            return false
        }
        missed += markedMissed
        if missed > 0 { self.plainArrived += plainArrived }
        guard missed >= Self.misses, self.plainArrived > 0 else { return false }
        missed = 0
        self.plainArrived = 0
        let isNews = mayLeave(now: now)
        unmarkedUntil = now + Self.verdict
        return isNews
    }
}
