/// The mode in which one end wants to receive. Its program's version follows, as the reader's `tail`; versions
/// before 0.2 omit it.
public struct ModeFrame: Equatable, Sendable {
    /// 0 auto, 1 stripe, 2 preferred, 3 redundant. An unknown mode is ignored.
    public var mode: UInt8
    /// In redundant mode, how many paths carry each packet; 0 means all. Peers before its introduction omit it,
    /// which means the same.
    public var redundantPaths: UInt8

    /// A mode and its number of paths.
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
