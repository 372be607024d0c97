import Crypto
import NIOCore
import NIOSSL
import Synchronization

/// Accepts only the pinned certificate, regardless of its issuer, names and age. TLS has verified before that
/// the other end has its key (RFC 8446 4.4.3). Until then only handshake messages have been sent.
final class PinnedCertificate: Sendable {
    private let pin: Pin
    private let refused = Atomic<Bool>(false)

    init(_ pin: Pin) { self.pin = pin }

    /// Whether a peer presented another certificate.
    var sawAnother: Bool { refused.load(ordering: .relaxed) }

    /// Fulfils `promise` with whether the first of `certificates` matches.
    func verify(
        _ certificates: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResultWithMetadata>
    ) {
        let isPinned =
            (try? certificates.first?.toDERBytes()).map { Array(SHA256.hash(data: $0)) == pin.bytes } ?? false
        if !isPinned { refused.store(true, ordering: .relaxed) }
        promise.succeed(isPinned ? .certificateVerified(VerificationMetadata(nil)) : .failed)
    }
}

/// SHA-256 of a certificate's DER, which identifies the certificate.
struct Pin: Equatable, Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    private static let length = 32

    /// Parses 64 hexadecimal digits in either case.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 2 * Self.length else { return nil }
        let digits = text.utf8.compactMap(Self.value)
        guard digits.count == 2 * Self.length else { return nil }
        bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Parses the form in an enrolment URI, `sha256:` and the digits.
    init?(prefixed text: String) {
        let prefix = "sha256:"
        guard text.hasPrefix(prefix) else { return nil }
        self.init(text.dropFirst(prefix.count))
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The digits in lower case.
    var description: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
