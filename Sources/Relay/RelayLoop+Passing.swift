import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Maximum number of bytes a connection forwards in one direction before others get their turn.
    private static let turn = 4 << 20

    private enum Outcome {
        /// It waits for a socket, a limit or the other direction.
        case waits
        /// It could continue.
        case goesOn
        /// A side has reset the connection.
        case broken
    }

    /// Forwards pending data in both directions.
    mutating func carry(_ index: Int) {
        let connection = connections[index]
        guard connection.pointee.state == .open else { return }
        let (client, target) = (connection.pointee.client, connection.pointee.target)
        let inward = pass(.inward, &connection.pointee.inward, from: client, to: target, connection)
        // Data that the target sent before it reset the connection is still forwarded.
        let outward = pass(
            .outward, &connection.pointee.outward, from: target, to: client, connection)
        if inward == .broken || outward == .broken { return drop(index, reset: true) }
        if connection.pointee.inward.isThrough && connection.pointee.outward.isThrough {
            return drop(index, reset: false)
        }
        if inward == .goesOn || outward == .goesOn { enqueue(index) }
        var deadline = Instant.never
        if connection.pointee.inward.parkedUntil > now {
            deadline = min(deadline, connection.pointee.inward.parkedUntil)
        }
        if connection.pointee.outward.parkedUntil > now {
            deadline = min(deadline, connection.pointee.outward.parkedUntil)
        }
        if deadline != .never { wake(index, at: deadline) }
    }

    /// Queues a connection to continue after others have had their turn.
    mutating func enqueue(_ index: Int) {
        guard !connections[index].pointee.isQueued else { return }
        connections[index].pointee.isQueued = true
        queue.append(Token(.connection, index, connections.generation(of: index)))
    }

    /// Continues the queued connections.
    mutating func carryOn() {
        guard !queue.isEmpty else { return }
        // Those that still have more join the end of the queue for the next round.
        let count = queue.count
        for position in 0..<count where connections.contains(queue[position]) {
            let index = queue[position].index
            connections[index].pointee.isQueued = false
            carry(index)
        }
        queue.removeFirst(count)
    }

    private mutating func pass(
        _ way: Direction, _ passage: inout Connection.Passage, from: Int32, to: Int32,
        _ connection: UnsafeMutablePointer<Connection>
    ) -> Outcome {
        let service = Int(connection.pointee.service)
        var passed = 0
        while true {
            if passage.held > 0 {
                let count = give(&passage, to: to)
                if count == -Int(EAGAIN) { return .waits }
                if count <= 0 { return .broken }
                passed += count
                self.count(count, way, connection)
                continue
            }
            if passage.isAtEnd && !passage.isThrough {
                shutdown(to, Int32(SHUT_WR))
                passage.isThrough = true
            }
            guard passage.isReadable && !passage.isAtEnd && now >= passage.parkedUntil else { break }
            if passed >= Self.turn {
                putBack(&passage)
                return .goesOn
            }
            let room = self.room(way, service: service)
            if room == 0 {
                park(&passage, way, service: service)
                break
            }
            if passage.pipe.isNone { passage.pipe = pipes.take() }
            let isCopied = passage.pipe.isNone
            let count =
                isCopied
                ? copy(&passage, from: from, to: to, most: room)
                : clinux_splice(from, passage.pipe.write, min(room, Pipes.wanted))
            if count == -Int(EAGAIN) {
                if !isCopied { passage.isReadable = false }
                passage.parkedUntil = .zero
                break
            }
            if count < 0 { return .broken }
            if count == 0 {
                passage.isAtEnd = true
                continue
            }
            unpark(&passage, way, service: service)
            take(count, way, service: service)
            if isCopied {
                passed += count
                self.count(count, way, connection)
            } else {
                passage.held = count
            }
        }
        putBack(&passage)
        return .waits
    }

    /// Writes the pipe's contents to the other side.
    /// - Returns: the number of bytes, or a negative errno.
    private func give(_ passage: inout Connection.Passage, to: Int32) -> Int {
        guard passage.isWritable else { return -Int(EAGAIN) }
        let count = clinux_splice(passage.pipe.read, to, passage.held)
        if count > 0 { passage.held -= count }
        if count == -Int(EAGAIN) { passage.isWritable = false }
        return count
    }

    /// Forwards bytes without a pipe, if the kernel refuses one: peeks at the data, writes it, and consumes the
    /// part written.
    /// - Returns: the number of bytes, 0 at the end of stream, or a negative errno.
    private func copy(_ passage: inout Connection.Passage, from: Int32, to: Int32, most: Int) -> Int {
        guard passage.isWritable else { return -Int(EAGAIN) }
        let there = clinux_peek(from, scratch.baseAddress, min(most, scratch.count))
        if there == -Int(EAGAIN) { passage.isReadable = false }
        guard there > 0 else { return there }
        let count = send(to, scratch.baseAddress, there, Int32(MSG_NOSIGNAL))
        guard count > 0 else {
            if errno == EAGAIN { passage.isWritable = false }
            return -Int(errno)
        }
        return clinux_discard(from, count)
    }

    private mutating func putBack(_ passage: inout Connection.Passage) {
        guard !passage.pipe.isNone else { return }
        pipes.put(passage.pipe, isEmpty: passage.held == 0)
        passage.pipe = .none
    }

    /// Counts bytes that have reached the other side.
    private mutating func count(
        _ bytes: Int, _ way: Direction, _ connection: UnsafeMutablePointer<Connection>
    ) {
        let bytes = UInt64(bytes)
        let service = Int(connection.pointee.service)
        let target = Int(connection.pointee.targetIndex)
        switch way {
        case .inward:
            count(service: service, offset: connection.pointee.offset) { $0.bytesIn += bytes }
            services[service].pointee.report.targets[target].bytesIn += bytes
        case .outward:
            count(service: service, offset: connection.pointee.offset) { $0.bytesOut += bytes }
            services[service].pointee.report.targets[target].bytesOut += bytes
        }
    }

    /// Adds to the traffic of a rule and of one of its ports.
    @inline(__always)
    mutating func count(service: Int, offset: UInt16, _ add: (inout Traffic) -> Void) {
        let service = services[service]
        add(&service.pointee.report.traffic)
        guard !service.pointee.portTraffic.isEmpty else { return }
        add(&service.pointee.portTraffic[Int(offset)])
    }

    /// Closes a connection at once.
    /// - Parameter reset: whether to reset both sides, as an abnormal end.
    mutating func drop(_ index: Int, reset: Bool) {
        let connection = connections[index]
        endPeek(index)
        if connection.pointee.dial >= 0 { dials.remove(Int(connection.pointee.dial)) }
        putBack(&connection.pointee.inward)
        putBack(&connection.pointee.outward)
        for socket in [connection.pointee.client, connection.pointee.target] where socket >= 0 {
            if reset { clinux_reset(socket) } else { close(socket) }
        }
        let (service, offset) = (Int(connection.pointee.service), connection.pointee.offset)
        connections.remove(index)
        guard service >= 0 else { return }
        count(service: service, offset: offset) { $0.connections -= 1 }
        release(service: service)
        leave(service)
    }
}
