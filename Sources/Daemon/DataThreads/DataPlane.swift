import Engine
import Glibc
import Packet
import Proto
import Runtime
import Transport
import Tun

/// A data thread's Engine, its queue of the TUN device, its sockets, and the path of packets between them.
///
///     receive, readTunnel, takeMail → step: Engine.service → flush → write TUN → hand over what is other
///     threads'
struct DataPlane: ~Copyable {
    /// A socket on which sending failed in a way that only the host can repair.
    struct Failing {
        let socket: UInt16
        /// The destination of the datagram that failed.
        let remote: Endpoint
        /// Whether its interface is gone.
        let isGone: Bool
    }

    var engine: Engine
    let queue: TunDevice
    /// Sockets by the number that links carry.
    private(set) var sockets: [UDPSocket?] = []
    var counters = DaemonCounters()
    var oversized: UInt64 { batch.refused }

    private var outbox = Outbox()
    private var batch = ReceiveBatch()
    /// A packet of many segments that was read in part, and its next segment.
    private var unfinished: (packet: Superpacket, next: Int)?
    /// Buffer for one read of the TUN device.
    private let superpacket = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TunDevice.maximumRead, alignment: 64)
    private var joiner: SegmentJoiner
    /// Packets that the joiner holds.
    private var joining = SlotQueue(bound: SegmentJoiner.maximumCount)
    private var failing: [Failing] = []
    /// All data threads' mailboxes by number; empty when there is one thread.
    private let mailboxes: [ThreadMailbox]
    private var mail = Letters()

    /// The number of packets that are read from the TUN device before other work.
    private static let packetsPerTurn = 64

    /// The plane of an Engine.
    /// - Parameter mailboxes: those of all data threads by number; empty if there is only one thread.
    init(_ engine: consuming Engine, queue: consuming TunDevice, mailboxes: [ThreadMailbox] = []) {
        joiner = SegmentJoiner(queue.offloads)
        self.engine = engine
        self.queue = queue
        self.mailboxes = mailboxes
    }

    deinit { superpacket.deallocate() }

    /// Adds a socket to the table.
    mutating func install(_ socket: UDPSocket) {
        while sockets.count <= Int(socket.number) { sockets.append(nil) }
        sockets[Int(socket.number)] = socket
    }

    /// The socket of that number, while there is one.
    func socket(_ number: UInt16) -> UDPSocket? {
        Int(number) < sockets.count ? sockets[Int(number)] : nil
    }

    /// Removes a socket from the table.
    mutating func removeSocket(_ number: UInt16) {
        if Int(number) < sockets.count { sockets[Int(number)] = nil }
    }

    // MARK: - In

    mutating func receive(_ number: UInt16, now: Instant) {
        guard Int(number) < sockets.count, let socket = sockets[Int(number)] else { return }
        let count = socket.socket.receive(into: &batch)
        if count < 0 {
            counters.receiveErrors += 1
            return
        }
        var payload = 0
        for i in 0..<batch.count {
            let datagram = batch.datagram(i)
            payload += datagram.count
            engine.receive(datagram, from: batch.link(i, socket: number), ecn: batch.ecn(i), now: now)
        }
        socket.meter.add(datagrams: batch.count, payload: payload, socket.socket.family)
    }

    /// Whether `readTunnel` has more to do, even if the TUN device is not readable.
    var hasUnfinishedRead: Bool { unfinished != nil }

    /// Reads at most `packetsPerTurn` packets from the TUN device. A peer that announces tiny segments makes the
    /// kernel hand over some 1800 in one read; the rest of them wait for the next turn.
    mutating func readTunnel(now: Instant) {
        var left = Self.packetsPerTurn
        while left > 0 {
            guard let (packet, first) = unfinished ?? queue.read(into: superpacket).map({ ($0, 0) }) else {
                return
            }
            let end = min(first + left, packet.count)
            left -= end - first
            unfinished = end < packet.count ? (packet, end) : nil
            guard send(packet, first..<end, now: now) else { return }
        }
    }

    /// Sends segments of a packet from the TUN device.
    /// - Returns: false when there was no buffer for one of them.
    private mutating func send(_ packet: Superpacket, _ segments: Range<Int>, now: Instant) -> Bool {
        let flow = packet.flow
        var isFull = false
        for index in segments {
            let slot = engine.reserve()
            // The rest of the superpacket counts as lost, too: each that finds no buffer is a drop of its own.
            guard slot != .none else {
                isFull = true
                continue
            }
            guard let length = packet.write(index, to: engine.room(of: slot)) else {
                counters.tunnelErrors += 1
                engine.release(slot)
                continue
            }
            if let flow {
                engine.send(slot, as: flow, length: length, hasPartialChecksum: packet.isPartial, now: now)
            } else {
                engine.send(slot, length: length, hasPartialChecksum: packet.isPartial, now: now)
            }
        }
        return !isFull
    }

    // MARK: - Out

    /// Lets the Engine do what is due, and sends and writes the result.
    /// - Returns: whether nothing is left to do; otherwise call again.
    mutating func step(now: Instant, wall: Timestamp) -> Bool {
        let isDone = engine.service(into: &outbox, now: now, wall: wall)
        flush()
        writeTunnel()
        if !mailboxes.isEmpty { handOver() }
        return isDone
    }

    /// Says goodbye to all peers.
    mutating func close(now: Instant) {
        engine.closeAll(into: &outbox, now: now)
        flush()
    }

    /// Events since the last call.
    mutating func takeEvents() -> [EngineEvent] {
        let events = engine.takeEvents()
        for case .established in events { counters.handshakes += 1 }
        return events
    }

    /// The sockets on which sending has failed since the last call.
    mutating func takeFailing() -> [Failing] {
        if failing.isEmpty { return [] }
        defer { failing.removeAll() }
        return failing
    }

    /// Writes delivered packets, each run of one flow's packets at once.
    private mutating func writeTunnel() {
        while true {
            let slot = engine.takeDelivery()
            if slot == .none { break }
            let (packet, isPartial) = engine.delivery(slot)
            if !joiner.append(packet, isPartial: isPartial) {
                flushTunnel()
                _ = joiner.append(packet, isPartial: isPartial)
            }
            _ = joining.append(slot, length: 0)
        }
        flushTunnel()
    }

    private mutating func flushTunnel() {
        if joiner.flush(to: queue) < 0 { counters.tunnelErrors += 1 }
        while !joining.isEmpty {
            engine.release(joining.first)
            joining.removeFirst(length: 0)
        }
    }

    /// Sends the datagrams in the outbox, each run of one socket's with one call.
    private mutating func flush() {
        var start = 0
        while start < outbox.count {
            let number = outbox[start].link.socket
            var end = start + 1
            while end < outbox.count && outbox[end].link.socket == number { end += 1 }
            if let socket = sockets[Int(number)] {
                send(start..<end, on: socket)
            } else {
                counters.unsent += UInt64(end - start)
            }
            start = end
        }
        outbox.clear()
    }

    private mutating func send(_ entries: Range<Int>, on socket: UDPSocket) {
        let result = socket.socket.send(outbox, entries: entries)
        var payload = 0
        for i in entries.prefix(result.sent) { payload += outbox[i].length }
        socket.meter.add(datagrams: result.sent, payload: payload, socket.socket.family)
        guard let problem = result.problem else { return }
        counters.unsent += UInt64(entries.count - result.sent)
        switch problem {
        case .unreachable, .interfaceGone:
            // On a server the path belongs to the client, which finds out by itself.
            guard engine.isClient else { return }
            failing.append(
                Failing(
                    socket: socket.number, remote: outbox[result.failedEntry].link.remote,
                    isGone: problem == .interfaceGone))
        case .tooBig:
            counters.note(problem)
            let entry = outbox[result.failedEntry]
            engine.refuse(entry.length, on: entry.link, now: Instant.now)
        case .wouldBlock, .noBuffers, .notPermitted, .other: counters.note(problem)
        }
    }

    // MARK: - Other data threads

    /// Hands packets over to the data threads that own them, with one lock for each thread.
    private mutating func handOver() {
        for index in mailboxes.indices where engine.hasStrays(for: index) {
            mailboxes[index].post { letters in
                while true {
                    let (slot, isPartial) = engine.takeStray(for: index)
                    if slot == .none { break }
                    if !letters.append(.packet(hasPartialChecksum: isPartial), engine.packet(in: slot)) {
                        counters.handoverFull += 1
                    }
                    engine.release(slot)
                }
            }
        }
        for forward in engine.takeForwards() {
            mailboxes[forward.shard].post { letters in
                let content = Letters.Content.initiation(link: forward.link, hasCookie: forward.hasCookie)
                let fits = forward.datagram.withUnsafeBytes { letters.append(content, $0) }
                if !fits { counters.handoverFull += 1 }
            }
        }
    }

    /// Takes commands and letters from other threads.
    /// - Returns: the commands, which are carried out before the letters are read.
    mutating func takeMail(from mailbox: ThreadMailbox) -> [ShardCommand] {
        mailbox.take(&mail)
    }

    /// Processes the letters of the last `takeMail`.
    mutating func readMail(now: Instant) {
        for i in 0..<mail.count { read(i, now: now) }
        mail.clear()
    }

    private mutating func read(_ index: Int, now: Instant) {
        let bytes = mail.bytes(index)
        switch mail.content(index) {
        case .packet(let isPartial):
            let slot = engine.reserve()
            guard slot != .none else { return }
            engine.room(of: slot).copyMemory(from: bytes)
            engine.send(slot, length: bytes.count, hasPartialChecksum: isPartial, now: now)
        case .initiation(let link, let hasCookie):
            engine.receiveForwarded(bytes, from: link, hasCookie: hasCookie, now: now)
        }
    }
}
