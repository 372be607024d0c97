import Crypto
import NIOCore
import NIOSSL
import Synchronization

/// Accepts the one certificate that was pinned, whoever signed it, whatever names it has and however old it is. That the other
/// end has its key, TLS sees to before (RFC 8446 4.4.3). Nothing has been sent by then but what a handshake needs.
final class PinnedCertificate: Sendable {
    private let pin: Pin
    private let refused = Atomic<Bool>(false)

    init(_ pin: Pin) { self.pin = pin }

    /// Whether somebody came with another.
    var sawAnother: Bool { refused.load(ordering: .relaxed) }

    /// Says in `promise` whether the first of `certificates` is it.
    func verify(
        _ certificates: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResultWithMetadata>
    ) {
        let isPinned =
            (try? certificates.first?.toDERBytes()).map { Array(SHA256.hash(data: $0)) == pin.bytes } ?? false
        if !isPinned { refused.store(true, ordering: .relaxed) }
        promise.succeed(isPinned ? .certificateVerified(VerificationMetadata(nil)) : .failed)
    }
}
