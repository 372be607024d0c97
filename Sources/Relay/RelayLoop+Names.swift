import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Time for a connection to send a server name.
    private static let peekPatience = Interval.seconds(3)

    /// Starts waiting for the connection's server name.
    mutating func startPeek(_ index: Int) {
        let connection = connections[index]
        connection.pointee.hello = Int32(hellos.insert(ClientHello()))
        connection.pointee.older = peeks.newest
        if peeks.newest >= 0 { connections[Int(peeks.newest)].pointee.newer = Int32(index) }
        peeks.newest = Int32(index)
        if peeks.oldest < 0 { peeks.oldest = Int32(index) }
        peeks.count += 1
        wake(index, at: now + Self.peekPatience)
        if peeks.count > PeekQueue.maximum { drop(Int(peeks.oldest), reset: true) }
    }

    /// Removes the connection from those waiting.
    mutating func endPeek(_ index: Int) {
        let connection = connections[index]
        guard connection.pointee.hello >= 0 else { return }
        hellos.remove(Int(connection.pointee.hello))
        connection.pointee.hello = -1
        let (older, newer) = (connection.pointee.older, connection.pointee.newer)
        if older >= 0 { connections[Int(older)].pointee.newer = newer } else { peeks.oldest = newer }
        if newer >= 0 { connections[Int(newer)].pointee.older = older } else { peeks.newest = older }
        connection.pointee.older = -1
        connection.pointee.newer = -1
        peeks.count -= 1
    }

    /// Ends the connections waiting at a port that is being closed.
    mutating func dropPeeks(of port: Int) {
        var next = peeks.oldest
        while next >= 0 {
            let index = Int(next)
            next = connections[index].pointee.newer
            if Int(connections[index].pointee.port) == port { drop(index, reset: true) }
        }
    }

    /// Examines the data received so far. It stays in the socket for the target.
    mutating func peek(_ index: Int) {
        let connection = connections[index]
        let count = clinux_peek(connection.pointee.client, scratch.baseAddress, scratch.count)
        if count == -Int(EAGAIN) { return }
        guard count > 0 else { return drop(index, reset: count < 0) }
        let said = UnsafeRawBufferPointer(rebasing: scratch[..<count])
        switch hellos[Int(connection.pointee.hello)].pointee.read(said) {
        case .needsMore: awaitMore(index, said: count)
        case .name(let name): route(index, name: name)
        case .notTLS: route(index, name: nil, isTLS: false)
        }
    }

    /// Makes the kernel wake this thread only when enough data for progress has arrived: each look copies
    /// everything received so far, which a caller who drips bytes would otherwise cause for every byte.
    private func awaitMore(_ index: Int, said count: Int) {
        let connection = connections[index]
        let needed = hellos[Int(connection.pointee.hello)].pointee.neededSize
        guard needed > count + 1 else { return }
        Sockets.setLowWater(connection.pointee.client, Int32(needed))
        connection.pointee.hasLowWater = true
    }

    /// Stops waiting for a name. A client that waits for the target to speak first belongs to the rule without
    /// a name, too.
    mutating func givePeekUp(_ index: Int) { route(index, name: nil, isTLS: false) }

    private mutating func route(_ index: Int, name: String?, isTLS: Bool = true) {
        let connection = connections[index]
        let port = ports[Int(connection.pointee.port)]
        // The cached time of this turn is too coarse for the first buckets.
        let time = Instant(nanoseconds: clinux_monotonic()) - connection.pointee.accepted
        port.pointee.names.count(after: UInt64(max(0, time.microseconds)))
        endPeek(index)
        if connection.pointee.hasLowWater { Sockets.setLowWater(connection.pointee.client, 1) }
        if !isTLS { port.pointee.names.parseFailures += 1 }
        guard let (rule, match) = port.pointee.routes.route(name), let service = serviceNumbers[rule] else {
            // Each connection is counted once: one without TLS has no name that could miss.
            if isTLS { port.pointee.names.misses += 1 }
            return drop(index, reset: true)
        }
        switch match {
        case .exact: services[service].pointee.report.exactNames += 1
        case .wildcard: services[service].pointee.report.wildcardNames += 1
        case .fallback: services[service].pointee.report.fallbacks += 1
        }
        assign(index, to: service)
    }
}
