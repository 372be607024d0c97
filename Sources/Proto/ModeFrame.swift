/// How one end wants to be sent to. The version of its program follows, as the reader's `tail`; versions before 0.2 leave it out.
public struct ModeFrame: Equatable, Sendable {
    /// 0 auto, 1 stripe, 2 preferred, 3 redundant. A mode that is not known changes nothing.
    public var mode: UInt8
    /// In redundant, how many paths a packet goes by; 0: by all. A peer from before it was thought of leaves it out, which
    /// says the same.
    public var redundantPaths: UInt8

    /// A wish.
    public init(mode: UInt8, redundantPaths: UInt8 = 0) {
        self.mode = mode
        self.redundantPaths = redundantPaths
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard !body.isEmpty else { return nil }
        mode = body[0]
        redundantPaths = body.count > 1 ? body[1] : 0
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body[0] = mode
        body[1] = redundantPaths
    }
}
