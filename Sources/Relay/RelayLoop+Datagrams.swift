import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Maximum number of batches received from a socket before other work gets its turn.
    private static let rounds = 4

    /// Forwards datagrams from end users to a port.
    mutating func receive(_ token: Token) {
        let socket = listeners[token.index].pointee.socket
        for _ in 0..<Self.rounds {
            let count = datagrams.receive(socket)
            var start = 0
            while start < count {
                var end = start + 1
                while end < count && datagrams.isSameFlow(start, end) { end += 1 }
                passIn(start..<end, token)
                // A flow that ended may have been the last user of the port.
                guard listeners.contains(token) else { return }
                start = end
            }
            if count < Datagrams.capacity { return }
        }
    }

    /// Forwards datagrams from one end user.
    private mutating func passIn(_ range: Range<Int>, _ token: Token) {
        guard let source = datagrams.source(of: range.lowerBound) else { return }
        var index = flowIndex.find(Int32(listeners[token.index].pointee.port), source, in: flows)
        if index < 0 {
            index = startFlow(token, source, datagram: range.lowerBound)
            if index < 0 { return }
        } else if let local = datagrams.destination(of: range.lowerBound) {
            flows[index].pointee.local = local
        }
        let flow = flows[index]
        flow.pointee.used = now
        // While the name is being resolved, only the first datagram is kept.
        guard flow.pointee.socket >= 0 else { return }
        send(range, .inward, index)
    }

    /// Forwards replies from a flow's target, or ends the flow if the target is gone.
    mutating func answer(_ index: Int, _ events: UInt32) {
        let token = Token(.flow, index, flows.generation(of: index))
        let flow = flows[index]
        if events & EPOLLERR.rawValue != 0 {
            let code = clinux_socket_error(flow.pointee.socket)
            // A datagram too large for the path is lost; the kernel has learnt the path MTU.
            if code != 0 && code != -EMSGSIZE { return loseFlow(index, code) }
        }
        for _ in 0..<Self.rounds {
            let count = datagrams.receive(flow.pointee.socket)
            // If there is more, the socket is reported again.
            if count == 0 || count == -Int(EMSGSIZE) { return }
            if count < 0 { return loseFlow(index, Int32(count)) }
            flow.pointee.used = now
            services[Int(flow.pointee.service)].pointee.order.succeed(Int(flow.pointee.targetIndex), at: now)
            send(0..<count, .outward, index)
            guard flows.contains(token), count == Datagrams.capacity else { return }
        }
    }

    /// Sends those datagrams that the limits allow.
    private mutating func send(_ range: Range<Int>, _ way: Direction, _ index: Int) {
        let token = Token(.flow, index, flows.generation(of: index))
        let service = Int(flows[index].pointee.service)
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound && passes(datagrams.length(of: end), way, service: service) {
                end += 1
            }
            if end > start { sendAll(start..<end, way, index) }
            guard flows.contains(token) else { return }
            start = end + 1
        }
    }

    private mutating func sendAll(_ range: Range<Int>, _ way: Direction, _ index: Int) {
        let flow = flows[index]
        var start = range.lowerBound
        while start < range.upperBound {
            let rest = start..<range.upperBound
            let sent =
                way == .inward
                ? datagrams.send(rest, by: flow.pointee.socket)
                : datagrams.send(
                    rest, by: flow.pointee.listener, to: flow.pointee.source, from: flow.pointee.local)
            if sent <= 0 {
                // An ICMP error for an earlier datagram. Datagrams that find no buffer, or are too large, are
                // lost, as on any link.
                if way == .inward && Sockets.isGone(Int32(sent)) { return failFlow(index) }
                if sent == -Int(EAGAIN) { return }
                start += 1
                continue
            }
            var bytes = 0
            for datagram in start..<start + sent { bytes += datagrams.length(of: datagram) }
            countDatagrams(sent, bytes, way, index)
            start += sent
        }
    }

    /// Counts datagrams that were forwarded.
    mutating func countDatagrams(_ count: Int, _ bytes: Int, _ way: Direction, _ index: Int) {
        let flow = flows[index]
        let service = Int(flow.pointee.service)
        let target = Int(flow.pointee.targetIndex)
        self.count(service: service, offset: flow.pointee.offset) {
            switch way {
            case .inward:
                $0.bytesIn += UInt64(bytes)
                $0.datagramsIn += UInt64(count)
            case .outward:
                $0.bytesOut += UInt64(bytes)
                $0.datagramsOut += UInt64(count)
            }
        }
        switch way {
        case .inward: services[service].pointee.report.targets[target].bytesIn += UInt64(bytes)
        case .outward: services[service].pointee.report.targets[target].bytesOut += UInt64(bytes)
        }
    }
}
