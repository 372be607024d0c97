import Packet

/// A client asks the server to send test packets for a moment and to say what it has received of the client's. Whoever
/// wants more asks again.
public struct BenchFrame: Equatable, Sendable {
    /// For `pathID`: all paths.
    public static let everyPath = UInt16.max

    /// The path to send on.
    public var pathID: UInt16
    /// For how long, in ms; 0: nothing is to be sent.
    public var milliseconds: UInt16

    /// A request.
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

/// The test packets that came out of the tunnel at an end.
public struct BenchCountFrame: Equatable, Sendable {
    /// The sender's clock in µs.
    public var time: UInt64
    /// Bytes of inner packets that have arrived in the life of the session, copies not counted.
    public var bytes: UInt64

    /// A count.
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
