import Packet
import Proto

/// What test packets made of a client's tunnel so far.
public struct BenchReport: Sendable {
    /// Bytes of the server's that came out here in the life of the session.
    public let received: UInt64
    /// Bytes of the client's that came out at the server, and its clock then; nil before it has said so.
    public let peer: (time: UInt64, bytes: UInt64)?
}

extension Engine {
    /// Client: test packets for half a second from now on; call it again before that to go on. All that leaves the sending
    /// end meanwhile goes on the path `pathID`, where one is given.
    /// - Parameter towardsServer: the direction; nil: none, the server is only asked for its count.
    /// - Returns: false when there is no session.
    public mutating func measure(_ pathID: UInt16?, towardsServer: Bool?, now: Instant) -> Bool {
        precondition(role == .client)
        guard let session = peers[0].session else { return false }
        let path = pathID ?? BenchFrame.everyPath
        if towardsServer == true {
            session.pointee.owed.bench.send(on: path, for: Bench.longestGrant, now: now)
        }
        let wanted = towardsServer == false ? Bench.longestGrant : .zero
        session.pointee.owed.bench.request = BenchFrame(
            pathID: path, milliseconds: UInt16(saturating: wanted.milliseconds))
        touch(session)
        return true
    }

    /// Client: what is known of the test packets by now; nil without a session.
    public var benchReport: BenchReport? {
        guard role == .client, let session = peers[0].session else { return nil }
        return BenchReport(
            received: session.pointee.owed.bench.received,
            peer: session.pointee.owed.bench.peerCount.map { ($0.time, $0.bytes) })
    }
}
