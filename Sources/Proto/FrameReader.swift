import Packet

/// Reads the frames of an opened control payload in order. Never traps, whatever the bytes are.
public struct FrameReader {
    /// Whether reading ended at a truncated or invalid frame rather than at the end of the payload.
    public private(set) var isMalformed = false
    /// The bytes after the fixed part of the last frame: a REPAIR's symbol, a path's or host's name, a version,
    /// a PATH_CHALLENGE's count, the whole body of an ASSIGN or a SHAPING.
    public private(set) var tail = UnsafeRawBufferPointer(start: nil, count: 0)

    /// The settings of the last frame, if that was an ASSIGN.
    public var assignment: AssignFrame? { AssignFrame(parsing: tail) }

    /// The wish of the last frame, if that was a SHAPING with a good one; nil for an acknowledgement.
    public var shaping: ShapingFrame? { ShapingFrame(parsing: tail) }
    /// Whether the last frame, if that was a SHAPING, acknowledges one.
    public var isAcknowledgement: Bool { tail.count == 1 }

    private var rest: UnsafeRawBufferPointer

    /// A reader of `payload`, which must outlive it.
    public init(_ payload: UnsafeRawBufferPointer) { rest = payload }

    /// The next known frame; nil at the end and after a malformed frame.
    public mutating func next() -> Frame? {
        while !rest.isEmpty {
            guard rest.count >= Wire.frameHeaderSize else { return fail() }
            let type = rest[0]
            let length = Int(rest.bigEndian(at: 1, as: UInt16.self))
            guard rest.count - Wire.frameHeaderSize >= length else { return fail() }
            let body = rest.slice(Wire.frameHeaderSize, length)
            rest = rest.dropping(Wire.frameHeaderSize + length)
            guard let type = FrameType(rawValue: type), type != .padding else { continue }
            guard let frame = Self.parse(type, body) else { return fail() }
            tail = body.dropping(min(body.count, Self.fixedSize(of: type)))
            return frame
        }
        return nil
    }

    private mutating func fail() -> Frame? {
        isMalformed = true
        rest = UnsafeRawBufferPointer(start: nil, count: 0)
        return nil
    }

    private static func parse(_ type: FrameType, _ body: UnsafeRawBufferPointer) -> Frame? {
        switch type {
        case .padding: nil
        case .ack: AckFrame(parsing: body).map(Frame.ack)
        case .ping: token(body).map(Frame.ping)
        case .pong: token(body).map(Frame.pong)
        case .pathChallenge: token(body).map(Frame.pathChallenge)
        case .pathResponse: token(body).map(Frame.pathResponse)
        case .pathStatus: PathStatusFrame(parsing: body).map(Frame.pathStatus)
        case .assign: AssignFrame(parsing: body) == nil ? nil : .assign
        case .close: body.isEmpty ? nil : .close(body[0])
        case .mode: ModeFrame(parsing: body).map(Frame.mode)
        case .assignRequest: .assignRequest
        case .bench: BenchFrame(parsing: body).map(Frame.bench)
        case .benchCount: BenchCountFrame(parsing: body).map(Frame.benchCount)
        case .repair: RepairFrame(parsing: body).map(Frame.repair)
        case .enrol: EnrolFrame(parsing: body).map(Frame.enrol)
        case .enrolled: EnrolledFrame(parsing: body).map(Frame.enrolled)
        case .enrolProof: EnrolProof(parsing: body).map(Frame.enrolProof)
        case .secret: SecretFrame(parsing: body).map(Frame.secret)
        case .shaping: body.isEmpty ? nil : .shaping(body[0])
        case .secretKept: body.count >= 4 ? .secretKept(body.bigEndian(at: 0, as: UInt32.self)) : nil
        }
    }

    private static func fixedSize(of type: FrameType) -> Int {
        switch type {
        case .repair: Wire.repairBodySize
        case .enrol: Wire.keySize
        case .pathStatus: Wire.pathStatusBodySize
        case .mode: Wire.modeBodySize
        case .pathChallenge: 8
        case .assign, .shaping: 0
        default: Int.max
        }
    }

    private static func token(_ body: UnsafeRawBufferPointer) -> UInt64? {
        body.count >= 8 ? body.bigEndian(at: 0, as: UInt64.self) : nil
    }
}
