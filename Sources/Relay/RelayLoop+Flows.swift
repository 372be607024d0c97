import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Maximum number of bytes held for name lookups, of all flows together.
    private static let heldMaximum = 1 << 20

    /// Starts a flow with the datagram of that index; returns its number, or -1 if it is not admitted.
    mutating func startFlow(_ token: Token, _ source: Endpoint, datagram: Int) -> Int {
        let listener = listeners[token.index].pointee
        let port = ports[listener.port]
        let number = Int(port.pointee.plain)
        guard number >= 0, let local = datagrams.destination(of: datagram) else { return -1 }
        let service = services[number]
        guard !isUsedUp(owner: Int(service.pointee.owner)) else { return -1 }
        let maximum = service.pointee.rule.maximumFlows ?? maximumFlows
        guard service.pointee.report.traffic.flows < maximum else {
            service.pointee.report.droppedFlows += 1
            return -1
        }
        guard admit(.udp, service: number) else { return -1 }
        let offset = port.pointee.number - service.pointee.rule.ports.lowerBound
        let index = flows.insert(
            Flow(
                port: Int32(listener.port), listener: listener.socket, service: Int32(number), offset: offset,
                source: source, local: local, used: now))
        flowIndex.insert(index, in: flows)
        port.pointee.flows += 1
        service.pointee.members += 1
        count(service: number, offset: offset) { $0.flows += 1 }
        wakeFlow(index)
        let target = service.pointee.order.order[0]
        flows[index].pointee.targetIndex = UInt8(target)
        let waiter = Token(.flow, index, flows.generation(of: index))
        switch find(target, of: number, for: waiter) {
        case .addresses(let addresses): beginFlow(index, at: addresses)
        case .later: hold(index, datagram: datagram)
        case .nowhere:
            service.pointee.report.failedLookups += 1
            failFlow(index)
        }
        return flows.contains(waiter) ? index : -1
    }

    /// Connects a flow once its target's addresses are known.
    mutating func beginFlow(_ index: Int, at addresses: [IPAddress]) {
        let flow = flows[index]
        let service = services[Int(flow.pointee.service)]
        let target = Int(flow.pointee.targetIndex)
        let port = service.pointee.rule.targets[target].port + flow.pointee.offset
        var isHindered = false
        for address in addresses {
            let socket = Sockets.connect(
                to: Endpoint(address: address, port: port), by: reach.way(to: address), transport: .udp)
            if Sockets.isExhausted(socket) {
                service.pointee.report.droppedFlows += 1
                return endFlow(index)
            }
            guard socket >= 0 else {
                if Sockets.isOwnFault(socket) { isHindered = true }
                continue
            }
            flow.pointee.socket = socket
            guard poller.watchReading(socket, Token(.flow, index, flows.generation(of: index))) else {
                return endFlow(index)
            }
            service.pointee.report.targets[target].accepted += 1
            if service.pointee.order.isFailover(target) { service.pointee.report.failovers += 1 }
            return sendHeld(index)
        }
        // The next datagram tries again.
        if isHindered { endFlow(index) } else { failFlow(index) }
    }

    /// Holds the first datagram of a flow if there is room; otherwise it is lost, like those after it.
    private mutating func hold(_ index: Int, datagram: Int) {
        let size = datagrams.length(of: datagram)
        guard heldBytes + size <= Self.heldMaximum else { return }
        heldBytes += size
        flows[index].pointee.held = Array(datagrams.payload(datagram))
    }

    /// Takes the datagram that a flow holds.
    private mutating func takeHeld(_ index: Int) -> [UInt8]? {
        guard let held = flows[index].pointee.held else { return nil }
        flows[index].pointee.held = nil
        heldBytes -= held.count
        return held
    }

    private mutating func sendHeld(_ index: Int) {
        let flow = flows[index]
        guard let held = takeHeld(index) else { return }
        guard passes(held.count, .inward, service: Int(flow.pointee.service)) else { return }
        let count = held.withUnsafeBytes {
            send(flow.pointee.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { countDatagrams(1, held.count, .inward, index) }
    }

    /// Handles a failure of the flow's socket.
    mutating func loseFlow(_ index: Int, _ code: Int32) {
        if Sockets.isOwnFault(code) { endFlow(index) } else { failFlow(index) }
    }

    /// Handles a failure of the flow's target.
    mutating func failFlow(_ index: Int) {
        let flow = flows[index]
        fail(Int(flow.pointee.targetIndex), of: Int(flow.pointee.service))
        endFlow(index)
    }

    /// Checks whether a flow is still in use.
    mutating func lookAtFlow(_ index: Int, at instant: Instant) {
        let flow = flows[index]
        guard instant == flow.pointee.lookedAt else { return }
        if now >= flow.pointee.used + idle(of: Int(flow.pointee.service)) {
            endFlow(index)
        } else {
            wakeFlow(index)
        }
    }

    /// Schedules the check for when a flow would be idle for too long.
    mutating func wakeFlow(_ index: Int) {
        let flow = flows[index]
        let end = flow.pointee.used + idle(of: Int(flow.pointee.service))
        flow.pointee.lookedAt = end
        deadlines.add(Token(.flow, index, flows.generation(of: index)), at: end)
    }

    private func idle(of service: Int) -> Interval {
        services[service].pointee.rule.flowIdle.map { .seconds(Int64($0)) } ?? flowIdle
    }

    /// Ends a flow.
    mutating func endFlow(_ index: Int) {
        let flow = flows[index]
        let (service, port, offset) = (
            Int(flow.pointee.service), Int(flow.pointee.port), flow.pointee.offset
        )
        if flow.pointee.socket >= 0 { close(flow.pointee.socket) }
        _ = takeHeld(index)
        flowIndex.remove(index, in: flows)
        flows.remove(index)
        count(service: service, offset: offset) { $0.flows -= 1 }
        release(service: service)
        ports[port].pointee.flows -= 1
        leavePort(port)
        leave(service)
    }

    /// Ends all flows of a rule.
    mutating func endFlows(ofService number: Int) {
        for index in 0..<flows.end where flows.contains(index) {
            if Int(flows[index].pointee.service) == number { endFlow(index) }
        }
    }

    /// Ends all flows of an owner's rules.
    mutating func endFlows(ofOwner owner: Int) {
        for index in 0..<flows.end where flows.contains(index) {
            let service = Int(flows[index].pointee.service)
            if Int(services[service].pointee.owner) == owner { endFlow(index) }
        }
    }
}
