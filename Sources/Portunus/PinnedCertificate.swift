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
