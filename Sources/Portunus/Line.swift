import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOPosix
import Settings
import Synchronization

/// A connection to the holder of the pinned certificate at an endpoint, for one call.
final class Line: Sendable {
    private let endpoint: HostPort
    private let certificate: PinnedCertificate
    private let timing: Timing
    /// One thread suffices for any control plane.
    private static let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let ends = Mutex<[NIOLoopBound<End>]>([])

    /// The handler next to the socket, below TLS.
    private final class End: ChannelInboundHandler {
        typealias InboundIn = NIOAny
        var context: ChannelHandlerContext?

        func handlerAdded(context: ChannelHandlerContext) { self.context = context }
        func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
        func close() { context?.close(promise: nil) }
    }

    init(to endpoint: HostPort, pin: Pin, timing: Timing) {
        self.endpoint = endpoint
        self.timing = timing
        certificate = PinnedCertificate(pin)
    }

    /// Whether a peer presented another certificate.
    var sawAnotherCertificate: Bool { certificate.sawAnother }

    /// Connects for the duration of `body`.
    /// - Throws: the errors of `body`; a failed connection is an error of its calls.
    func connect<Answer: Sendable>(
        _ body: (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Answer
    ) async throws -> Answer {
        let transport = try transport()
        return try await withTaskCancellationHandler {
            try await withGRPCClient(transport: transport) { client in
                defer { hangUp() }
                return try await body(client)
            }
        } onCancel: {
            hangUp()
        }
    }

    /// The transport, with HTTP/2 pings and without compression. SNI is sent if the endpoint has a name; an
    /// address is not one (RFC 6066 section 3).
    private func transport() throws -> HTTP2ClientTransport.Posix {
        let security = HTTP2ClientTransport.Posix.TransportSecurity.tls { tls in
            // The callback replaces validation of the chain; the host name need not match the certificate.
            tls.serverCertificateVerification = .noHostnameVerification
            tls.trustRoots = .certificates([])
            tls.customVerificationCallback = { [certificate] in certificate.verify($0, $1) }
        }
        let configuration = HTTP2ClientTransport.Posix.Config.defaults {
            $0.connection.keepalive = .init(
                time: timing.ping, timeout: timing.pong, allowWithoutCalls: true)
            $0.channelDebuggingCallbacks.onCreateTCPConnection = { self.hold($0) }
        }
        func transport(_ target: some ResolvableTarget) throws -> HTTP2ClientTransport.Posix {
            try HTTP2ClientTransport.Posix(
                target: target, transportSecurity: security, config: configuration, eventLoopGroup: Self.loop)
        }
        let port = Int(endpoint.port)
        return switch endpoint.endpoint?.address.family {
        case .v4: try transport(.ipv4(address: endpoint.host, port: port))
        case .v6: try transport(.ipv6(address: endpoint.host, port: port))
        case nil: try transport(.dns(host: endpoint.host, port: port))
        }
    }

    private func hold(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            let end = End()
            try channel.pipeline.syncOperations.addHandler(end, position: .first)
            ends.withLock { $0.append(NIOLoopBound(end, eventLoop: channel.eventLoop)) }
        }
    }

    /// Closes the connections at once. TLS would wait 5 s for the other end's close_notify, which is irrelevant
    /// by then.
    private func hangUp() {
        for end in ends.withLock({ $0 }) { end.eventLoop.execute { end.value.close() } }
    }
}
