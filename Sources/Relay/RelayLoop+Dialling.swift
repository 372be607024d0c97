import CLinux
import Glibc
import Packet
import Rules
import Transport

extension RelayLoop {
    /// Timeout for one address.
    private static let dialPatience = Interval.seconds(3)
    /// Timeout for all of a rule's targets together: longer than callers like to wait.
    private static let dialEnd = Interval.seconds(15)

    /// Starts with the first target.
    mutating func startDial(_ index: Int) {
        let connection = connections[index]
        let order = services[Int(connection.pointee.service)].pointee.order.order
        connection.pointee.dial = Int32(dials.insert(Dial(targets: order, end: now + Self.dialEnd)))
        dialNext(index)
    }

    /// Continues with the next address or the next target.
    private mutating func dialNext(_ index: Int) {
        let connection = connections[index]
        let dial = dials[Int(connection.pointee.dial)]
        // The target being tried has not answered by the end.
        guard now < dial.pointee.end else { return giveUp(index) }
        while true {
            if dial.pointee.tried < dial.pointee.addresses.count {
                let address = dial.pointee.addresses[dial.pointee.tried]
                dial.pointee.tried += 1
                let code = connect(index, to: address)
                if code >= 0 { return }
                // This host's own problem, which another address does not solve.
                if Sockets.isExhausted(code) { break }
                note(code, of: dial)
                continue
            }
            if dial.pointee.begun > 0 && (dial.pointee.isAsked || !dial.pointee.isHindered) {
                fail(Int(connection.pointee.targetIndex), of: Int(connection.pointee.service))
            }
            guard dial.pointee.begun < dial.pointee.targets.count else { break }
            let target = dial.pointee.targets[dial.pointee.begun]
            dial.pointee.begun += 1
            dial.pointee.tried = 0
            dial.pointee.addresses = []
            (dial.pointee.isAsked, dial.pointee.isHindered) = (false, false)
            connection.pointee.targetIndex = UInt8(target)
            let waiter = Token(.connection, index, connections.generation(of: index))
            switch find(target, of: Int(connection.pointee.service), for: waiter) {
            case .addresses(let addresses): dial.pointee.addresses = addresses
            case .later:
                connection.pointee.state = .resolving
                return wake(index, at: dial.pointee.end)
            case .nowhere: services[Int(connection.pointee.service)].pointee.report.failedLookups += 1
            }
        }
        drop(index, reset: true)
    }

    /// Records why an address could not be reached.
    private func note(_ code: Int32, of dial: UnsafeMutablePointer<Dial>) {
        if Sockets.isOwnFault(code) { dial.pointee.isHindered = true } else { dial.pointee.isAsked = true }
    }

    /// Continues once the name of the dialled target has been resolved.
    mutating func resume(_ index: Int, with addresses: [IPAddress]) {
        let connection = connections[index]
        guard connection.pointee.state == .resolving else { return }
        dials[Int(connection.pointee.dial)].pointee.addresses = addresses
        dialNext(index)
    }

    /// Gives up, because no target could be reached in time.
    mutating func giveUp(_ index: Int) {
        let connection = connections[index]
        fail(Int(connection.pointee.targetIndex), of: Int(connection.pointee.service))
        drop(index, reset: true)
    }

    private mutating func connect(_ index: Int, to address: IPAddress) -> Int32 {
        let connection = connections[index]
        let service = services[Int(connection.pointee.service)]
        let target = service.pointee.rule.targets[Int(connection.pointee.targetIndex)]
        let port = target.port + connection.pointee.offset
        let socket = Sockets.connect(
            to: Endpoint(address: address, port: port), by: reach.way(to: address), transport: .tcp)
        guard socket >= 0 else { return socket }
        connection.pointee.target = socket
        connection.pointee.state = .dialling
        guard poller.watchChanges(socket, Token(.target, index, connections.generation(of: index))) else {
            closeTarget(index)
            return -ENOMEM
        }
        wake(index, at: min(now + Self.dialPatience, dials[Int(connection.pointee.dial)].pointee.end))
        return socket
    }

    /// Handles an address that did not answer in time.
    mutating func failDial(_ index: Int) { failDial(index, -ETIMEDOUT) }

    private mutating func failDial(_ index: Int, _ code: Int32) {
        closeTarget(index)
        note(code, of: dials[Int(connections[index].pointee.dial)])
        dialNext(index)
    }

    /// Handles the target's answer or refusal.
    mutating func finishDial(_ index: Int) {
        let connection = connections[index]
        let code = clinux_socket_error(connection.pointee.target)
        guard code == 0 else { return failDial(index, code) }
        guard greet(index) else { return drop(index, reset: true) }
        let service = services[Int(connection.pointee.service)]
        let target = Int(connection.pointee.targetIndex)
        service.pointee.order.succeed(target, at: now)
        service.pointee.report.targets[target].accepted += 1
        if service.pointee.order.isFailover(target) { service.pointee.report.failovers += 1 }
        dials.remove(Int(connection.pointee.dial))
        connection.pointee.dial = -1
        connection.pointee.state = .open
        connection.pointee.deadline = .never
        carry(index)
    }

    /// Sends the PROXY protocol header with the caller's address, if the target expects one.
    private mutating func greet(_ index: Int) -> Bool {
        let connection = connections[index]
        let rule = services[Int(connection.pointee.service)].pointee.rule
        guard let version = rule.targets[Int(connection.pointee.targetIndex)].proxy else { return true }
        let client = connection.pointee.client
        // A caller that has left no longer has an address; that is not the target's fault.
        guard let source = SocketAddress.reading({ getpeername(client, $0, $1) }),
            let destination = SocketAddress.reading({ getsockname(client, $0, $1) })
        else { return false }
        let size = ProxyHeader(version, source: source, destination: destination).write(to: scratch)
        // The buffer of a new connection always has room for it.
        return send(connection.pointee.target, scratch.baseAddress, size, Int32(MSG_NOSIGNAL)) == size
    }

    private mutating func closeTarget(_ index: Int) {
        let connection = connections[index]
        if connection.pointee.target >= 0 { close(connection.pointee.target) }
        connection.pointee.target = -1
        connection.pointee.outward.isReadable = false
        connection.pointee.inward.isWritable = false
    }
}
