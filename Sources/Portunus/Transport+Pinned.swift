import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Packet
import Settings

extension HTTP2ClientTransport.Posix {
    /// A connection to whoever has the pinned certificate at `endpoint`, with HTTP/2's signs of life and without compression. The
    /// server's name is told (SNI) when the endpoint has one; an address is none (RFC 6066 section 3).
    init(to endpoint: HostPort, certificate: PinnedCertificate, timing: Timing) throws {
        let security = TransportSecurity.tls { tls in
            // The callback is asked instead of the chain; the host name is none of the certificate's business.
            tls.serverCertificateVerification = .noHostnameVerification
            tls.trustRoots = .certificates([])
            tls.customVerificationCallback = { certificate.verify($0, $1) }
        }
        let configuration = Config.defaults {
            $0.connection.keepalive = .init(
                time: timing.ping, timeout: timing.pong, allowWithoutCalls: true)
        }
        func transport(_ target: some ResolvableTarget) throws -> Self {
            try Self(target: target, transportSecurity: security, config: configuration)
        }
        let port = Int(endpoint.port)
        self =
            switch endpoint.endpoint?.address.family {
            case .v4: try transport(.ipv4(address: endpoint.host, port: port))
            case .v6: try transport(.ipv6(address: endpoint.host, port: port))
            case nil: try transport(.dns(host: endpoint.host, port: port))
            }
    }
}
