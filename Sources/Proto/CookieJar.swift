import CSodium
import Packet

/// The cookie that a responder gave one path of an initiator. Since it proves an address, every path has its
/// own jar.
public struct CookieJar: Sendable {
    private let key: MacKey
    private var cookie: Cookie?
    private var since = Instant.zero

    /// An empty jar for cookies of `responder`.
    public init(responder: PublicKey) { key = .cookie(responder) }

    /// Stores the cookie in `datagram`, if it contains one that answers the message with this MAC1.
    /// - Parameter mac1: the result of `Initiator.writeInit` for the path's last init.
    /// - Returns: whether a cookie was stored; a forged one leaves the jar unchanged.
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

    /// The cookie, for up to 120 s.
    public func current(_ now: Instant) -> Cookie? { now - since < Wire.cookieLifetime ? cookie : nil }
}
