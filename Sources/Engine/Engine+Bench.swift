import Packet
import Proto

/// Test traffic that has crossed a client's tunnel so far.
public struct BenchReport: Sendable {
    /// Bytes from the server received here during the session.
    public let received: UInt64
    /// Bytes from the client received by the server, and the server's clock at that time; `nil` before its
    /// first report.
    public let peer: (time: UInt64, bytes: UInt64)?
}

extension Engine {
    /// Client: sends test packets for the next half second; call again within that time to continue.
    /// Meanwhile all traffic of the sending end uses the path `pathID`, if given.
    /// - Parameter towardsServer: the direction; `nil` sends no test packets and only asks for the server's
    ///   count.
    /// - Returns: false if there is no session.
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

    /// Client: the current state of the test traffic; `nil` without a session.
    public var benchReport: BenchReport? {
        guard role == .client, let session = peers[0].session else { return nil }
        return BenchReport(
            received: session.pointee.owed.bench.received,
            peer: session.pointee.owed.bench.peerCount.map { ($0.time, $0.bytes) })
    }
}
