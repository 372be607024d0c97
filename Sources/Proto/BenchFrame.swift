import Packet

/// Asks the server to send test packets for a short time and to report how many it has received from the
/// client. The client repeats the request to continue.
public struct BenchFrame: Equatable, Sendable {
    /// The value of `pathID` that stands for all paths.
    public static let everyPath = UInt16.max

    /// The path to send on.
    public var pathID: UInt16
    /// Duration in ms; 0 requests no packets.
    public var milliseconds: UInt16

    /// A request for test packets and a count.
    public init(pathID: UInt16 = everyPath, milliseconds: UInt16) {
        self.pathID = pathID
        self.milliseconds = milliseconds
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.benchBodySize else { return nil }
        pathID = body.bigEndian(at: 0, as: UInt16.self)
        milliseconds = body.bigEndian(at: 2, as: UInt16.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(pathID, at: 0)
        body.storeBigEndian(milliseconds, at: 2)
    }
}

/// The number of test bytes received.
public struct BenchCountFrame: Equatable, Sendable {
    /// The sender's clock in µs.
    public var time: UInt64
    /// Bytes of inner packets received during the session, not counting duplicates.
    public var bytes: UInt64

    /// A count at a time.
    public init(time: UInt64, bytes: UInt64) { (self.time, self.bytes) = (time, bytes) }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.benchCountBodySize else { return nil }
        time = body.bigEndian(at: 0, as: UInt64.self)
        bytes = body.bigEndian(at: 8, as: UInt64.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(time, at: 0)
        body.storeBigEndian(bytes, at: 8)
    }
}
