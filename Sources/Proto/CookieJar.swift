import CSodium
import Packet

/// The cookie that a responder gave one path of an initiator. As it proves an address, every path has its own jar.
public struct CookieJar: Sendable {
    private let key: MacKey
    private var cookie: Cookie?
    private var since = Instant.zero

    /// An empty jar for cookies of `responder`.
    public init(responder: PublicKey) { key = .cookie(responder) }

    /// Takes the cookie out of `datagram`, when it is one and answers the message with this MAC1.
    /// - Parameter mac1: what `Initiator.writeInit` returned for the path's last init.
    /// - Returns: whether it did; a forged cookie leaves the jar as it was.
    public mutating func read(
        _ datagram: UnsafeRawBufferPointer, answering mac1: Mac, now: Instant
    ) -> Bool {
        guard datagram.count == Wire.cookieSize, Header(parsing: datagram)?.kind == .cookie else {
            return false
        }
        let nonce = datagram.slice(Wire.headerSize, Wire.cookieNonceSize)
        let sealed = datagram.dropping(Wire.headerSize + Wire.cookieNonceSize)
        let opened = SecretBytes(count: Wire.macSize)
        let result = mac1.withUnsafeBytes { mac1 in
            key.withUnsafeBytes { key in
                crypto_aead_xchacha20poly1305_ietf_decrypt(
                    opened.bytes.octets, nil, nil, sealed.octets, UInt64(sealed.count), mac1.octets,
                    UInt64(mac1.count), nonce.octets, key.octets)
            }
        }
        guard result == 0 else { return false }
        cookie = Cookie(Mac(UnsafeRawBufferPointer(opened.bytes)))
        since = now
        return true
    }

    /// The cookie, while it is not older than 120 s.
    public func current(_ now: Instant) -> Cookie? { now - since < Wire.cookieLifetime ? cookie : nil }
}
