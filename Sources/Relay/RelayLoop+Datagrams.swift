import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// How many batches are taken from a socket before others have their turn.
    private static let rounds = 4

    /// Passes on what end users sent to a port.
    mutating func receive(_ token: Token) {
        let socket = listeners[token.index].pointee.socket
        for _ in 0..<Self.rounds {
            let count = datagrams.receive(socket)
            var start = 0
            while start < count {
                var end = start + 1
                while end < count && datagrams.isSameFlow(start, end) { end += 1 }
                passIn(start..<end, token)
                // A flow that ended may have been all that the port was still for.
                guard listeners.contains(token) else { return }
                start = end
            }
            if count < Datagrams.capacity { return }
        }
    }

    /// Passes on datagrams of one end user.
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
        // While the name is looked up, the first datagram is kept and others are not.
        guard flow.pointee.socket >= 0 else { return }
        send(range, .inward, index)
    }

    /// Passes on what a flow's target sent, or ends the flow when it is not there.
    mutating func answer(_ index: Int, _ events: UInt32) {
        let token = Token(.flow, index, flows.generation(of: index))
        let flow = flows[index]
        if events & EPOLLERR.rawValue != 0 {
            let code = clinux_socket_error(flow.pointee.socket)
            // What was too large for the way is lost; the kernel knows better from then on.
            if code != 0 && code != -EMSGSIZE { return loseFlow(index, code) }
        }
        for _ in 0..<Self.rounds {
            let count = datagrams.receive(flow.pointee.socket)
            // If there is more, this comes again.
            if count == 0 || count == -Int(EMSGSIZE) { return }
            if count < 0 { return loseFlow(index, Int32(count)) }
            flow.pointee.used = now
            services[Int(flow.pointee.service)].pointee.order.succeed(Int(flow.pointee.targetIndex), at: now)
            send(0..<count, .outward, index)
            guard flows.contains(token), count == Datagrams.capacity else { return }
        }
    }

    /// Sends those of the datagrams on that the limits let pass.
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
                // An ICMP error of a datagram before. What finds no room, or is too large, is lost, as it would be on the way.
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

    /// Counts datagrams that were sent on.
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
