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

/// The proof, issued by a responder under load, that its holder receives at its address: the key of MAC2.
public struct Cookie: Equatable, Sendable {
    private let mac: Mac

    init(_ mac: Mac) { self.mac = mac }

    /// The cookie of `endpoint` under a responder's `secret`.
    init(secret: Bytes32, endpoint: Endpoint) {
        var place: (UInt64, UInt64, UInt32, UInt16, UInt16) = (
            endpoint.address.high.bigEndian, endpoint.address.low.bigEndian, endpoint.zone.bigEndian,
            endpoint.port.bigEndian, UInt16(endpoint.address.family.rawValue).bigEndian
        )
        mac = Swift.withUnsafeBytes(of: &place) { place in
            secret.withUnsafeBytes { Mac(key: $0, of: place) }
        }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        mac.withUnsafeBytes(body)
    }

    /// The correct MAC2 of `message`, whose last 16 bytes it is.
    func mac2(of message: UnsafeRawBufferPointer) -> Mac {
        mac.withUnsafeBytes { Mac(key: $0, of: message.slice(0, message.count - Wire.macSize)) }
    }
}
