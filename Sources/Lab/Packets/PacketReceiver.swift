import CLinux
import Glibc
import Synchronization

/// Receives a run's datagrams on its own thread. It polls every half millisecond instead of being woken for
/// each, because the tunnel under test needs the processor more.
final class PacketReceiver: Sendable {
    /// The result.
    struct Arrival: Sendable {
        var ledger: PacketLedger
        /// When the last counted one arrived, in seconds of the monotonic clock; 0 if never.
        var last = 0.0
    }

    /// Time without arrivals after which the run has ended, in seconds.
    private static let patience = 0.1
    private static let room: Int32 = 64 << 20
    /// Only mark and number of a datagram are copied.
    private static let stampSize = 8

    /// The UDP port.
    let port: UInt16
    private let fd: Int32
    private let mark: UInt32
    private let isEnding = Atomic(false)
    private let arrival: Mutex<Arrival>
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts receiving; `finish` ends it. Throws `system`.
    init(in namespace: Namespace, mark: UInt32, first: UInt32, capacity: Int) throws(LabError) {
        self.mark = mark
        arrival = Mutex(Arrival(ledger: PacketLedger(first: first, capacity: capacity)))
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = namespace.inside { Glibc.socket(AF_INET, type, 0) }
        guard socket >= 0 else { throw .system(call: "opening a UDP socket", errno: errno) }
        fd = socket
        var room = Self.room
        if setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, 4) != 0 {
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, 4)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard bound else { throw .system(call: "binding a UDP socket", errno: errno) }
        let started = try PosixThread.start(name: "lab-receiver") { self.run() }
        thread.withLock { $0 = started }
    }

    deinit { close(fd) }

    /// Waits until no more datagrams arrive; returns the result. Call it once all have been sent.
    func finish() -> Arrival {
        isEnding.store(true, ordering: .relaxed)
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let running { pthread_join(running, nil) }
        return arrival.withLock { $0 }
    }

    private func run() {
        _ = lab_thread_nice(-10)
        let batch = PacketBatch(capacity: 256, size: Self.stampSize)
        var arrival = arrival.withLock { $0 }
        var quietSince: Double?
        while true {
            let count = Int(clinux_receive(fd, batch.messages, UInt32(batch.capacity)))
            if count > 0 {
                take(count, of: batch, into: &arrival)
                quietSince = nil
                if count == batch.capacity { continue }
            } else if isEnding.load(ordering: .relaxed) {
                let now = Clock.monotonic
                let since = quietSince ?? now
                if now - since > Self.patience { break }
                quietSince = since
            }
            var pause = timespec(tv_sec: 0, tv_nsec: 500_000)
            nanosleep(&pause, nil)
        }
        self.arrival.withLock { $0 = arrival }
    }

    private func take(_ count: Int, of batch: borrowing PacketBatch, into arrival: inout Arrival) {
        var counts = false
        for i in 0..<count {
            let stamp = batch.stamp(of: i)
            if stamp.mark == mark, arrival.ledger.note(stamp.number) { counts = true }
        }
        if counts { arrival.last = Clock.monotonic }
    }
}
