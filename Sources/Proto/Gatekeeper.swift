import CSodium
import Packet

/// Keeps inits from the expensive part of a responder (WireGuard, section 5.3).
///
/// First `admitsMac1`: the server stays silent to senders that do not know its public key. Under load also
/// `admitsMac2`, and `writeCookie` for those it refuses: they come back with proof that they receive at their address.
public struct Gatekeeper: Sendable {
    private let mac1Key: MacKey
    private let cookieKey: MacKey
    /// The root from which all cookie secrets are derived.
    private let root: Bytes32

    /// The gatekeeper of the server with this key. Gatekeepers with the same seed accept each other's cookies.
    public init(staticPublic: PublicKey, entropy: inout Entropy) {
        mac1Key = .mac1(staticPublic)
        cookieKey = .cookie(staticPublic)
        root = .random(&entropy)
    }

    /// Whether `datagram` is an init with a correct MAC1. Its sender knows the server's key, but may be
    /// replaying it, and its address may be forged.
    public func admitsMac1(_ datagram: UnsafeRawBufferPointer) -> Bool {
        isInit(datagram) && mac1Key.verifies(datagram)
    }

    /// A hash for tables of source addresses, keyed by a value derived from the cookies' root.
    public var sourceHash: KeyedHash {
        var key = Bytes32()
        let label: StaticString = "bondd sources"
        root.withUnsafeBytes { root in
            key.withUnsafeMutableBytes { Blake2b.hash(into: $0, key: root, label.bytes) }
        }
        return KeyedHash(key: key)
    }

    /// Whether `datagram` is an init with the MAC2 of a recent cookie for `from`. Does not check MAC1. One
    /// without MAC2, which has zeros there, costs next to nothing.
    public func admitsMac2(_ datagram: UnsafeRawBufferPointer, from: Endpoint, now: Instant) -> Bool {
        guard isInit(datagram) else { return false }
        let mac2 = Mac(datagram.dropping(datagram.count - Wire.macSize))
        if mac2.isZero { return false }
        let period = Self.period(now)
        return [period, period &- 1].contains { period in
            Cookie(secret: secret(of: period), endpoint: from).mac2(of: datagram) == mac2
        }
    }

    /// Writes a cookie for `from` to `out`, in answer to an init with a correct MAC1.
    /// - Returns: the number of bytes written, `Wire.cookieSize`; 0 if `datagram` is not an init or `out` has
    ///   no room.
    public func writeCookie(
        answering datagram: UnsafeRawBufferPointer, to from: Endpoint, now: Instant,
        entropy: inout Entropy, into out: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard isInit(datagram), let header = Header(parsing: datagram), out.count >= Wire.cookieSize else {
            return 0
        }
        let cookie = Cookie(secret: secret(of: Self.period(now)), endpoint: from)
        let mac1 = Mac(datagram.dropping(datagram.count - 2 * Wire.macSize))
        Header(
            kind: .cookie, sessionID: datagram.bigEndian(at: Wire.senderOffset, as: UInt32.self),
            pathID: header.pathID
        ).write(to: out)
        let nonce = out.slice(Wire.headerSize, Wire.cookieNonceSize)
        entropy.fill(nonce)
        let sealed = out.dropping(Wire.headerSize + Wire.cookieNonceSize)
        cookie.withUnsafeBytes { cookie in
            mac1.withUnsafeBytes { mac1 in
                cookieKey.withUnsafeBytes { key in
                    _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
                        sealed.octets, nil, cookie.octets, UInt64(cookie.count), mac1.octets,
                        UInt64(mac1.count), nil, nonce.octets, key.octets)
                }
            }
        }
        return Wire.cookieSize
    }

    /// Writes a header that says "version 1" to `out`, in answer to an init of an unknown version whose MAC1 proves
    /// that its sender knows the server's key.
    /// - Returns: the number of bytes written, `Wire.headerSize`; 0 if there is nothing to answer.
    public func writeVersionReply(
        answering datagram: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard Header.isUnknownVersion(datagram), datagram.count >= Wire.noiseOffset + 2 * Wire.macSize,
            datagram.count <= Wire.maximumDatagram, out.count >= Wire.headerSize, mac1Key.verifies(datagram)
        else { return 0 }
        Header(
            kind: .cookie, flags: Wire.versionReplyFlags,
            sessionID: datagram.bigEndian(at: Wire.senderOffset, as: UInt32.self), pathID: 0
        ).write(to: out)
        return Wire.headerSize
    }

    private func isInit(_ datagram: UnsafeRawBufferPointer) -> Bool {
        datagram.count == Wire.initSize && Header(parsing: datagram)?.kind == .handshakeInit
    }

    /// A new cookie secret is used every 120 s; the previous one is accepted for 120 s more.
    private static func period(_ now: Instant) -> UInt64 {
        now.nanoseconds / UInt64(Wire.cookieLifetime.nanoseconds)
    }

    private func secret(of period: UInt64) -> Bytes32 {
        var secret = Bytes32()
        var period = period.bigEndian
        root.withUnsafeBytes { root in
            withUnsafeBytes(of: &period) { period in
                secret.withUnsafeMutableBytes { Blake2b.hash(into: $0, key: root, period) }
            }
        }
        return secret
    }
}
