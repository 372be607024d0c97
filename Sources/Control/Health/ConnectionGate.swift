import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Packet
import Synchronization

/// Closes slow connections: a request must arrive completely, and a response be read, within ten seconds. No
/// request needs a body, so a connection that sends one is closed as well.
final class ConnectionGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    static let patience = TimeAmount.seconds(10)

    private let sources: Sources
    private var deadline: Scheduled<Void>?
    /// The source address counted for this connection.
    private var source: String?

    init(_ sources: Sources) { self.sources = sources }

    func handlerAdded(context: ChannelHandlerContext) {
        restart(context)
        guard let address = context.remoteAddress?.ipAddress, IPAddress(address)?.isLoopback == false else {
            return
        }
        if sources.admit(address) { source = address } else { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        if let source { sources.release(source) }
        source = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            restart(context)
            context.fireChannelRead(data)
        case .body: context.close(promise: nil)
        case .end: context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else {
            context.write(data, promise: promise)
            return
        }
        // Written means accepted by the kernel; the next request gets the same time from then on.
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.futureResult.whenSuccess {
            let (gate, context) = bound.value
            if context.channel.isActive { gate.restart(context) }
        }
        context.write(data, promise: written)
    }

    private func restart(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}

/// Counts open connections by source address, so that one source cannot lock out the others.
final class Sources: Sendable {
    /// Maximum number of connections from one address. Loopback addresses are not counted.
    static let most = 64

    private let counts = Mutex<[String: Int]>([:])

    /// Counts a new connection.
    /// - Returns: false if the address has reached the maximum.
    func admit(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < Self.most else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    /// Counts the end of a connection that was admitted.
    func release(_ address: String) {
        counts.withLock { counts in
            counts[address] = counts[address].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }
}
