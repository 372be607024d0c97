import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Packet
import Runtime
import Settings

/// Serves `/healthz`, `/readyz`, `/metrics` and `/status` on its own thread.
package final class HealthServer: Sendable {
    /// Maximum number of concurrent connections; more wait in the kernel.
    static let mostConnections = 256

    private let listen: Endpoint
    private let token: Token?
    private let pages: Pages
    private let log: Log
    private let sources = Sources()

    /// - Parameter token: the token that requests must carry; nil if none.
    package init(listen: Endpoint, token: Token?, pages: Pages, log: Log) {
        self.listen = listen
        self.token = token
        self.pages = pages
        self.log = log
    }

    /// Starts serving. If the address is not available, because it is the tunnel's and does not exist yet,
    /// retries every few seconds.
    package func start() {
        Task.detached {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            var told = ""
            while true {
                do {
                    try await self.server(group).run()
                } catch {
                    let reason = "\(error)"
                    if reason != told {
                        self.log(
                            .error, "cannot serve health on \(self.listen); trying again",
                            ["reason": reason])
                    }
                    told = reason
                }
                try? await Task.sleep(for: .seconds(2))
            }
        }
    }

    private func server(_ group: MultiThreadedEventLoopGroup) -> Server<HTTP1Channel> {
        let quiet = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGate(self.sources)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 8192, maxHeaderListSize: 16384, maxHeaderFieldCount: 64))
        let channel = HTTP1Channel(
            responder: { request, writer, _ in try await self.respond(to: request, with: writer) },
            configuration: configuration)
        return Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(
                address: .hostname(listen.address.description, port: Int(listen.port)),
                availableConnectionsDelegate: .maximum(Self.mostConnections, logger: quiet)),
            onServerRunning: { _ in self.log(.info, "serving health", ["address": "\(self.listen)"]) },
            eventLoopGroup: group, logger: quiet)
    }

    private func respond(to request: Request, with writer: consuming ResponseWriter) async throws {
        var fields = HTTPFields()
        fields[.cacheControl] = "no-store"
        if listen.address.isLoopback && !HostName.isLocal(request.head.authority) {
            try await write(.misdirectedRequest, fields, "use the server's address, not a name\n", writer)
        } else if let token, !token.matches(request.headers[.authorization]) {
            fields[.wwwAuthenticate] = "Bearer"
            try await write(.unauthorized, fields, "send the token as Authorization: Bearer TOKEN\n", writer)
        } else if request.method != .get && request.method != .head {
            fields[.allow] = "GET, HEAD"
            try await write(.methodNotAllowed, fields, "only GET is answered\n", writer)
        } else if let page = await pages.page(at: request.uri.path) {
            fields[.contentType] = page.type
            fields[.contentLength] = "\(page.body.count)"
            let head = HTTPResponse(
                status: page.code == 200 ? .ok : .serviceUnavailable, headerFields: fields)
            if request.method == .head {
                try await writer.writeResponse(head)
            } else {
                try await writer.write(
                    response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: page.body)))
            }
        } else {
            try await write(.notFound, fields, "use /healthz, /readyz, /metrics or /status\n", writer)
        }
    }

    private func write(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, _ sentence: String,
        _ writer: consuming ResponseWriter
    ) async throws {
        var fields = fields
        fields[.contentType] = "text/plain; charset=utf-8"
        fields[.contentLength] = "\(sentence.utf8.count)"
        try await writer.write(
            response: HTTPResponse(status: status, headerFields: fields),
            body: ResponseBody(byteBuffer: ByteBuffer(string: sentence)))
    }
}
