import Packet

/// How the networks along a path treat ECN codepoints, and whether both directions can use them (in the
/// spirit of RFC 9000 section 13.4).
///
/// A datagram leaves with the codepoint of the packet in it, a control datagram with Not-ECT. So one that
/// left as Not-ECT and arrives as CE was rewritten, and such a path's marks say nothing about congestion. A
/// network that drops every datagram with a codepoint lets all others through.
public struct PathMarks: ~Copyable, Sendable {
    /// This many false marks within `falseWindow` are not an accident.
    static let falseMarks = 3
    static let falseWindow = Interval.seconds(10)
    /// This many consecutive marked datagrams lost while others arrived are not an accident. QUIC tries a
    /// path with 10 (RFC 9000 section A.4); this is fewer because a window of 10 may not be filled.
    static let misses = 8
    /// How long a verdict holds: routes change.
    static let verdict = Interval.seconds(600)

    private var seen = 0
    private var firstSeen = Instant.zero
    private var distrustedUntil = Instant.zero
    private var missed = 0
    private var plainArrived = 0
    private var unmarkedUntil = Instant.zero

    /// Nothing known: the path is assumed to treat codepoints correctly.
    public init() {}

    // MARK: - From the peer

    /// Whether marks on received datagrams are to be believed.
    public func areTrusted(now: Instant) -> Bool { now >= distrustedUntil }

    /// A datagram that left as Not-ECT arrived as CE.
    /// - Returns: whether marks are distrusted from now on because of it.
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

    /// Applies an ACK's result for datagrams with and without a codepoint.
    /// - Returns: whether datagrams must leave without one from now on.
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
