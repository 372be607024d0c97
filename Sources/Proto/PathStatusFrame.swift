import Packet

/// One end's settings and state of a path, so that the other end treats it alike. The path's name follows, as
/// the reader's `tail`; peers before its introduction omit it.
public struct PathStatusFrame: Equatable, Sendable {
    /// The path.
    public var pathID: UInt16
    /// 0 primary, 1 backup, 2 metered, 3 never. An unknown role counts as never.
    public var role: UInt8
    /// Whether the path is known to be down, for example because its interface lost its carrier.
    public var down: Bool
    /// Maximum sending rate on the path, in Mbit/s; 0 means no cap.
    public var capMbit: UInt16
    /// Whether the path has used up its data allowance for the month.
    public var isSpent: Bool

    /// The status of a path.
    public init(pathID: UInt16, role: UInt8, down: Bool, capMbit: UInt16 = 0, isSpent: Bool = false) {
        self.pathID = pathID
        self.role = role
        self.down = down
        self.capMbit = capMbit
        self.isSpent = isSpent
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.pathStatusBodySize else { return nil }
        pathID = body.bigEndian(at: 0, as: UInt16.self)
        role = body[2]
        down = body[3] & 1 == 1
        isSpent = body[3] & 2 == 2
        capMbit = body.bigEndian(at: 4, as: UInt16.self)
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(pathID, at: 0)
        body[2] = role
        body[3] = (down ? 1 : 0) | (isSpent ? 2 : 0)
        body.storeBigEndian(capMbit, at: 4)
    }
}
