import Glibc
import Packet
import Rules

extension RelayLoop {
    /// How often this host's addresses are listed again for ports with a socket for each address.
    private static let addressInterval = Interval.seconds(10)

    /// The number of the port, after adding the rule to those it serves.
    mutating func takePort(_ number: UInt16, for rule: Rule) throws(RuleRefusal) -> Int {
        let isRange = rule.ports.count > 1
        let word: UInt16? = isRange ? number : nil
        let key = PortKey(transport: rule.transport, number: number, address: rule.listenAddress)
        if let index = portNumbers[key] {
            // A port of a range is not shared, neither by a later rule nor with an earlier one.
            let port = ports[index]
            if !port.pointee.routes.isEmpty && (isRange || port.pointee.isOfRange) { throw .portInUse(word) }
            do throws(RuleRefusal) {
                try port.pointee.routes.add(rule.serverName, rule.id)
            } catch {
                throw error == .portInUse(nil) ? .portInUse(word) : error
            }
            port.pointee.isOfRange = isRange
            return index
        }
        var port = Port(key)
        try port.routes.add(rule.serverName, rule.id)
        port.isOfRange = isRange
        let index = ports.insert(port)
        do throws(RuleRefusal) {
            try openPort(index, word: word)
        } catch {
            closePort(index)
            throw error
        }
        portNumbers[key] = index
        return index
    }

    /// Listens on a port that has no sockets yet: on its one address, or on every address of the families that
    /// the kernel supports.
    private mutating func openPort(_ index: Int, word: UInt16?) throws(RuleRefusal) {
        if let address = ports[index].pointee.key.address {
            let code = listen(at: address, index)
            if code == -EADDRNOTAVAIL { throw .addressMissing(address) }
            if code < 0 { throw Self.refusal(code, port: word) }
            return
        }
        var isMissing = false
        for family in [IPAddress.Family.v4, .v6] {
            var code = listen(at: .any(family), index)
            if Sockets.isMissingFamily(code) {
                isMissing = true
                continue
            }
            // Mail servers, resolvers and the like have ports only on loopback, from which no user of a service
            // comes.
            if code == -EADDRINUSE { code = shareWithLoopback(family, index) }
            if code < 0 { throw Self.refusal(code, port: word) }
        }
        if ports[index].pointee.listeners.isEmpty {
            throw isMissing ? .bindFailed(word) : .portInUse(word)
        }
        if !ports[index].pointee.shared.isEmpty { scheduleAddresses(index) }
    }

    /// Listens on every address of a family except loopback.
    /// - Returns: a negative errno if that fails for any of them, or there are none.
    private mutating func shareWithLoopback(_ family: IPAddress.Family, _ index: Int) -> Int32 {
        let addresses = Sockets.ownAddresses(family)
        guard !addresses.isEmpty else { return -EADDRINUSE }
        for address in addresses {
            let code = listen(at: address, index)
            // An address may just have disappeared.
            guard code >= 0 || code == -EADDRNOTAVAIL else { return code }
        }
        ports[index].pointee.shared.append(family)
        return 0
    }

    private mutating func scheduleAddresses(_ index: Int) {
        let token = Token(.addresses, index, ports.generation(of: index))
        deadlines.add(token, at: now + Self.addressInterval)
    }

    /// Listens on addresses added to this host since. Those on which another program has the port by now are
    /// left to it.
    mutating func lookAtAddresses(_ index: Int) {
        for family in ports[index].pointee.shared {
            let known = ports[index].pointee.listeners.map { listeners[$0].pointee.address }
            for address in Sockets.ownAddresses(family) where !known.contains(address) {
                _ = listen(at: address, index)
            }
        }
        scheduleAddresses(index)
    }

    /// Listens on a port of an address.
    /// - Returns: 0 or a negative errno.
    private mutating func listen(at address: IPAddress, _ index: Int) -> Int32 {
        let key = ports[index].pointee.key
        let socket = Sockets.listen(
            at: Endpoint(address: address, port: key.number), transport: key.transport)
        guard socket >= 0 else { return socket }
        let number = listeners.insert(Listener(socket: socket, port: index, address: address))
        guard poller.watchReading(socket, Token(.listener, number, listeners.generation(of: number))) else {
            listeners.remove(number)
            close(socket)
            return -ENOMEM
        }
        ports[index].pointee.listeners.append(number)
        return 0
    }

    private static func refusal(_ code: Int32, port: UInt16?) -> RuleRefusal {
        switch -code {
        case EADDRINUSE: .portInUse(port)
        case EACCES, EPERM: .permissionDenied(port)
        case _ where Sockets.isExhausted(code): .outOfDescriptors
        default: .bindFailed(port)
        }
    }

    /// Closes a port that no rule or flow needs any more.
    mutating func leavePort(_ index: Int, rule: RuleID? = nil) {
        let port = ports[index]
        if let rule {
            let isPlain = port.pointee.routes.fallback == rule
            port.pointee.routes.remove(rule)
            if isPlain { port.pointee.plain = -1 }
        }
        guard port.pointee.routes.isEmpty && port.pointee.flows == 0 else { return }
        dropPeeks(of: index)
        portNumbers[port.pointee.key] = nil
        closePort(index)
    }

    private mutating func closePort(_ index: Int) {
        for number in ports[index].pointee.listeners {
            close(listeners[number].pointee.socket)
            listeners.remove(number)
        }
        ports.remove(index)
    }
}

extension IPAddress {
    /// The wildcard address of a family.
    fileprivate static func any(_ family: Family) -> IPAddress {
        family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0)
    }
}
