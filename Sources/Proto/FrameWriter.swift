import Packet

/// Writes consecutive frames into a control payload. Each `append` writes a whole frame or nothing.
public struct FrameWriter {
    /// The number of bytes written.
    public private(set) var count = 0

    private let buffer: UnsafeMutableRawBufferPointer

    /// A writer into `buffer`, which must outlive it.
    public init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    /// The number of bytes still free.
    public var remaining: Int { buffer.count - count }

    /// Appends an ACK; returns false if it does not fit.
    public mutating func append(_ frame: AckFrame) -> Bool {
        guard let body = begin(.ack, Wire.ackBodySize) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends a PATH_STATUS with at most the first 63 bytes of the path's name; returns false if there is no
    /// room for it.
    public mutating func append(_ frame: PathStatusFrame, name: String = "") -> Bool {
        let name = name.utf8.prefix(Label.longest)
        guard let body = begin(.pathStatus, Wire.pathStatusBodySize + name.count) else { return false }
        frame.write(to: body)
        body.dropping(Wire.pathStatusBodySize).copyBytes(from: name)
        return true
    }

    /// Appends an ENROL with at most the first 63 bytes of the host's name; returns false if there is no room
    /// for it.
    public mutating func append(_ frame: EnrolFrame, host: String = "") -> Bool {
        let host = host.utf8.prefix(Label.longest)
        guard let body = begin(.enrol, Wire.keySize + host.count) else { return false }
        frame.write(to: body)
        body.dropping(Wire.keySize).copyBytes(from: host)
        return true
    }

    /// Appends an ENROLLED; returns false if it does not fit.
    public mutating func append(_ frame: EnrolledFrame) -> Bool {
        guard let body = begin(.enrolled, Wire.enrolledBodySize) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends an ENROL_PROOF; returns false if it does not fit.
    public mutating func append(_ proof: EnrolProof) -> Bool {
        guard let body = begin(.enrolProof, Wire.keySize) else { return false }
        proof.write(to: body)
        return true
    }

    /// Appends a SECRET; returns false if it does not fit.
    public mutating func append(_ frame: SecretFrame) -> Bool {
        guard let body = begin(.secret, Wire.secretBodySize) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends a SECRET_KEPT; returns false if it does not fit.
    public mutating func append(secretKept generation: UInt32) -> Bool {
        guard let body = begin(.secretKept, 4) else { return false }
        body.storeBigEndian(generation, at: 0)
        return true
    }

    /// Appends a MODE with at most the first 63 bytes of the program's version; returns false if there is no
    /// room for it.
    public mutating func append(_ frame: ModeFrame, version: String = "") -> Bool {
        let version = version.utf8.prefix(Label.longest)
        guard let body = begin(.mode, Wire.modeBodySize + version.count) else { return false }
        frame.write(to: body)
        body.dropping(Wire.modeBodySize).copyBytes(from: version)
        return true
    }

    /// Appends an ASSIGN; returns false if it does not fit, or if it exceeds the format's limits.
    public mutating func append(_ frame: AssignFrame) -> Bool {
        guard let size = frame.bodySize, let body = begin(.assign, size) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends a SHAPING; returns false if it does not fit, or if it exceeds the format's limits.
    public mutating func append(_ frame: ShapingFrame) -> Bool {
        guard let size = frame.bodySize, let body = begin(.shaping, size) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends a SHAPING that acknowledges the wish of that revision; returns false if it does not fit.
    public mutating func append(shapingTaken revision: UInt8) -> Bool { append(.shaping, revision) }

    /// Appends a REPAIR with a zeroed symbol for the caller to fill in; returns false if it does not fit.
    public mutating func append(_ frame: RepairFrame) -> Bool {
        guard frame.symbolSize > 0, let body = begin(.repair, Wire.repairBodySize + frame.symbolSize) else {
            return false
        }
        frame.writeHead(to: buffer.slice(count - body.count - Wire.frameHeaderSize, Wire.repairHeadSize))
        body.dropping(Wire.repairBodySize).initializeMemory(as: UInt8.self, repeating: 0)
        return true
    }

    /// Appends a PING; returns false if it does not fit.
    public mutating func append(ping token: UInt64) -> Bool { append(.ping, token) }
    /// Appends a PONG; returns false if it does not fit.
    public mutating func append(pong token: UInt64) -> Bool { append(.pong, token) }
    /// Appends a PATH_CHALLENGE; returns false if it does not fit.
    /// - Parameter skipped: the number of packet numbers of the path skipped so far.
    public mutating func append(pathChallenge token: UInt64, skipped: UInt64 = 0) -> Bool {
        guard skipped > 0 else { return append(.pathChallenge, token) }
        guard let body = begin(.pathChallenge, 16) else { return false }
        body.storeBigEndian(token, at: 0)
        body.storeBigEndian(skipped, at: 8)
        return true
    }
    /// Appends a PATH_RESPONSE; returns false if it does not fit.
    public mutating func append(pathResponse token: UInt64) -> Bool { append(.pathResponse, token) }
    /// Appends a CLOSE; returns false if it does not fit.
    public mutating func append(close reason: UInt8) -> Bool { append(.close, reason) }
    /// Appends an ASSIGN_REQUEST; returns false if it does not fit.
    public mutating func appendAssignRequest() -> Bool { begin(.assignRequest, 0) != nil }

    /// Appends a BENCH; returns false if it does not fit.
    public mutating func append(_ frame: BenchFrame) -> Bool {
        guard let body = begin(.bench, Wire.benchBodySize) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends a BENCH_COUNT; returns false if it does not fit.
    public mutating func append(_ frame: BenchCountFrame) -> Bool {
        guard let body = begin(.benchCount, Wire.benchCountBodySize) else { return false }
        frame.write(to: body)
        return true
    }

    /// Appends a PADDING of `size` bytes in all, at least 3; returns false if it does not fit.
    public mutating func append(padding size: Int) -> Bool {
        guard size >= Wire.frameHeaderSize, let body = begin(.padding, size - Wire.frameHeaderSize) else {
            return false
        }
        body.initializeMemory(as: UInt8.self, repeating: 0)
        return true
    }

    /// Appends any frame but an ASSIGN, whose settings it does not have, and a SHAPING as an acknowledgement;
    /// returns false if it does not fit.
    public mutating func append(_ frame: Frame) -> Bool {
        switch frame {
        case .ack(let ack): append(ack)
        case .ping(let token): append(ping: token)
        case .pong(let token): append(pong: token)
        case .pathChallenge(let token): append(pathChallenge: token)
        case .pathResponse(let token): append(pathResponse: token)
        case .pathStatus(let status): append(status)
        case .assign: false
        case .assignRequest: appendAssignRequest()
        case .close(let reason): append(close: reason)
        case .mode(let mode): append(mode)
        case .bench(let request): append(request)
        case .benchCount(let count): append(count)
        case .repair(let repair): append(repair)
        case .enrol(let enrol): append(enrol)
        case .enrolled(let outcome): append(outcome)
        case .enrolProof(let proof): append(proof)
        case .secret(let secret): append(secret)
        case .secretKept(let generation): append(secretKept: generation)
        case .shaping(let revision): append(shapingTaken: revision)
        }
    }

    private mutating func append(_ type: FrameType, _ token: UInt64) -> Bool {
        guard let body = begin(type, 8) else { return false }
        body.storeBigEndian(token, at: 0)
        return true
    }

    private mutating func append(_ type: FrameType, _ byte: UInt8) -> Bool {
        guard let body = begin(type, 1) else { return false }
        body[0] = byte
        return true
    }

    /// Writes a frame's type and length and returns the room for its body; nil if the frame does not fit.
    private mutating func begin(_ type: FrameType, _ length: Int) -> UnsafeMutableRawBufferPointer? {
        guard length <= Int(UInt16.max), remaining >= Wire.frameHeaderSize + length else { return nil }
        buffer[count] = type.rawValue
        buffer.storeBigEndian(UInt16(length), at: count + 1)
        count += Wire.frameHeaderSize + length
        return buffer.slice(count - length, length)
    }
}
