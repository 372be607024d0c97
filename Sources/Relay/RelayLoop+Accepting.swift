import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Maximum number of connections accepted before other work gets its turn.
    private static let acceptBatch = 64
    /// How long a port pauses if no descriptors are left, not even to reject callers.
    private static let rest = Interval.milliseconds(100)

    /// Accepts the connections waiting at a port.
    mutating func accept(_ token: Token) {
        let (socket, port) = (listeners[token.index].pointee.socket, listeners[token.index].pointee.port)
        for _ in 0..<Self.acceptBatch {
            let client = clinux_accept(socket)
            if client >= 0 {
                welcome(client, port: port)
            } else if Sockets.isExhausted(client) {
                guard turnAway(at: socket) else {
                    poller.watch(socket, reading: false, writing: false, token)
                    deadlines.add(token, at: now + Self.rest)
                    return
                }
            } else if client != -ECONNABORTED {
                return
            }
        }
    }

    /// Resumes listening on a paused port.
    mutating func resume(_ token: Token) {
        let socket = listeners[token.index].pointee.socket
        guard !poller.watchReading(socket, token) else { return }
        deadlines.add(token, at: now + Self.rest)
    }

    /// Resets one waiting connection, using the descriptor reserved for that.
    private mutating func turnAway(at socket: Int32) -> Bool {
        if reserve < 0 { reserve = Self.openReserve() }
        guard reserve >= 0 else { return false }
        close(reserve)
        let client = clinux_accept(socket)
        if client >= 0 { clinux_reset(client) }
        reserve = Self.openReserve()
        return client >= 0
    }

    private mutating func welcome(_ client: Int32, port: Int) {
        let index = connections.insert(Connection(client: client, port: port, accepted: now))
        guard poller.watchChanges(client, Token(.client, index, connections.generation(of: index))) else {
            return drop(index, reset: true)
        }
        let here = ports[port]
        if here.pointee.routes.hasNames {
            startPeek(index)
        } else {
            assign(index, to: Int(here.pointee.plain))
        }
    }

    /// Assigns a connection to its rule.
    mutating func assign(_ index: Int, to number: Int) {
        guard number >= 0 else { return drop(index, reset: true) }
        let service = services[number]
        let owner = Int(service.pointee.owner)
        guard !isUsedUp(owner: owner), admit(.tcp, service: number) else { return drop(index, reset: true) }
        let connection = connections[index]
        connection.pointee.service = Int32(number)
        connection.pointee.offset =
            ports[Int(connection.pointee.port)].pointee.number - service.pointee.rule.ports.lowerBound
        service.pointee.members += 1
        count(service: number, offset: connection.pointee.offset) { $0.connections += 1 }
        startDial(index)
    }

    /// Gives a connection the attention it scheduled.
    mutating func look(_ index: Int, at instant: Instant) {
        let connection = connections[index]
        guard instant == connection.pointee.lookedAt else { return }
        connection.pointee.lookedAt = .never
        let deadline = connection.pointee.deadline
        guard deadline <= now else { return wake(index, at: deadline) }
        connection.pointee.deadline = .never
        switch connection.pointee.state {
        case .peeking: givePeekUp(index)
        case .resolving: giveUp(index)
        case .dialling: failDial(index)
        case .open: carry(index)
        case .ending: drop(index, reset: false)
        }
    }

    /// Schedules attention for a connection at that time, and not earlier.
    mutating func wake(_ index: Int, at instant: Instant) {
        let connection = connections[index]
        connection.pointee.deadline = instant
        guard instant < connection.pointee.lookedAt else { return }
        connection.pointee.lookedAt = instant
        deadlines.add(Token(.connection, index, connections.generation(of: index)), at: instant)
    }

    /// Handles events on one of a connection's sockets.
    mutating func notice(_ token: Token, _ events: UInt32) {
        let connection = connections[token.index]
        let mayRead =
            events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        let mayWrite = events & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        if token.kind == .client {
            if mayRead { connection.pointee.inward.isReadable = true }
            if mayWrite { connection.pointee.outward.isWritable = true }
        } else {
            if mayRead { connection.pointee.outward.isReadable = true }
            if mayWrite { connection.pointee.inward.isWritable = true }
        }
        let isDead = events & EPOLLERR.rawValue != 0
        switch connection.pointee.state {
        case .peeking: if isDead { drop(token.index, reset: false) } else if mayRead { peek(token.index) }
        case .resolving: if isDead { drop(token.index, reset: false) }
        case .dialling:
            if token.kind == .target {
                if mayRead || mayWrite { finishDial(token.index) }
            } else if isDead {
                drop(token.index, reset: false)
            }
        case .open:
            // A caller that has reset the connection receives nothing more, whatever is still queued for it.
            if isDead && token.kind == .client { drop(token.index, reset: true) } else { carry(token.index) }
        case .ending: break
        }
    }
}
