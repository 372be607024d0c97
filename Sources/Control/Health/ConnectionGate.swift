import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Packet

/// Closes a connection that takes its time: a request must be there whole, and an answer be taken, within ten seconds. Nobody
/// needs to send a body, so whoever does is closed, too.
final class ConnectionGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    static let patience = TimeAmount.seconds(10)

    private let sources: Sources
    private var deadline: Scheduled<Void>?
    /// The address that was counted in.
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
        // Written is what the kernel has taken: from then on the next request may take as long.
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
