import Packet

/// Checks whether a server with a certain public key answers at an address, without changing anything there.
///
/// It is an init of a version that no server supports, which a holder of the key answers with a header that
/// says "version 1" (see `Wire` and `Gatekeeper.writeVersionReply`). It creates no session and costs the server
/// one MAC.
public struct VersionProbe: Sendable {
    /// The number returned in the answer; not 0.
    public let number: UInt32
    private let mac: MacKey

    /// A version that no format will ever have.
    private static let version: UInt8 = 0xFF

    /// A probe for the server with this key.
    /// - Parameter number: distinguishes it from other probes.
    public init(server: PublicKey, number: UInt32) {
        self.number = max(number, 1)
        mac = .mac1(server)
    }

    /// Writes the probe to `datagram`, as long as an init, so that an answer also says something about the
    /// path's MTU.
    /// - Precondition: there is room for `Wire.initSize` bytes.
    /// - Returns: the number of bytes written.
    public func write(to datagram: UnsafeMutableRawBufferPointer) -> Int {
        let datagram = datagram.slice(0, Wire.initSize)
        datagram.initializeMemory(as: UInt8.self, repeating: 0)
        Header(kind: .handshakeInit, sessionID: 0, pathID: 0).write(to: datagram)
        datagram[2] = Self.version
        datagram.storeBigEndian(number, at: Wire.senderOffset)
        _ = mac.sign(datagram, cookie: nil)
        return datagram.count
    }

    /// Whether `datagram` is the answer. Its sender is not authenticated; it only knows the number.
    public func isAnswer(_ datagram: UnsafeRawBufferPointer) -> Bool {
        guard datagram.count == Wire.headerSize, let header = Header(parsing: datagram) else { return false }
        return header.kind == .cookie && header.flags == Wire.versionReplyFlags && header.sessionID == number
    }
}
