import Packet

/// Asks whether a server with a certain public key answers at an address, and changes nothing there.
///
/// It is an init of a version that no server speaks, which whoever has the key answers with a header that says "version 1" (see
/// `Wire` and `Gatekeeper.writeVersionReply`). It makes no session and costs the server one MAC.
public struct VersionProbe: Sendable {
    /// What the answer comes back with; not 0.
    public let number: UInt32
    private let mac: MacKey

    /// Never the version of a format.
    private static let version: UInt8 = 0xFF

    /// A probe for the server with this key.
    /// - Parameter number: tells it from others.
    public init(server: PublicKey, number: UInt32) {
        self.number = max(number, 1)
        mac = .mac1(server)
    }

    /// Writes the probe to `datagram`, as long as an init, so that its answer says something of the path's MTU as well.
    /// - Precondition: there is room for `Wire.initSize` bytes.
    /// - Returns: the bytes written.
    public func write(to datagram: UnsafeMutableRawBufferPointer) -> Int {
        let datagram = datagram.slice(0, Wire.initSize)
        datagram.initializeMemory(as: UInt8.self, repeating: 0)
        Header(kind: .handshakeInit, sessionID: 0, pathID: 0).write(to: datagram)
        datagram[2] = Self.version
        datagram.storeBigEndian(number, at: Wire.senderOffset)
        _ = mac.sign(datagram, cookie: nil)
        return datagram.count
    }

    /// Whether `datagram` answers it. Nothing proves who wrote the answer but that it knows the number.
    public func isAnswer(_ datagram: UnsafeRawBufferPointer) -> Bool {
        guard datagram.count == Wire.headerSize, let header = Header(parsing: datagram) else { return false }
        return header.kind == .cookie && header.flags == Wire.versionReplyFlags && header.sessionID == number
    }
}
