import CLinux
import Glibc
import Packet

/// A UDP socket of one family, bound to an interface or an address, that sends and receives in batches.
///
/// Datagrams are never fragmented, and the kernel's own path MTU is ignored (IP_PMTUDISC_PROBE), because the
/// paths discover theirs themselves (RFC 8899). ICMP errors are not requested (no IP_RECVERR): they are not
/// authenticated, and one client's would surface in another's send. Errors detected by the kernel itself, such
/// as a missing route, are reported.
public struct DatagramSocket: ~Copyable {
    /// Requested buffer size in each direction, in bytes: 50 ms of 1 Gbit/s and the kernel's bookkeeping.
    public static let bufferSize = 7 << 20

    /// The descriptor, nonblocking and close-on-exec, for epoll.
    public let fileDescriptor: Int32
    /// The family of the socket.
    public let family: IPAddress.Family
    /// The index of the interface it is bound to; 0 if none.
    public let interfaceIndex: UInt32
    /// The port it is bound to, in host order.
    public let localPort: UInt16

    private let table: MessageTable
    /// The number of outbox entries in each row of the table.
    private let rowEntries: UnsafeMutablePointer<Int>
    /// Turned off permanently by the first refusal; drivers and interfaces without support return EIO or EINVAL.
    private let segments: UnsafeMutablePointer<SocketOffload>

    /// Maximum number of datagrams and bytes that the kernel segments at once (Linux' UDP_MAX_SEGMENTS, and
    /// IPv4's largest packet).
    private static let maximumSegments = 64
    private static let maximumBytes = 65000

    /// Whether the kernel segments outgoing data, so that datagrams of one size are sent together (UDP_SEGMENT,
    /// since Linux 4.18).
    public var segmentation: SocketOffload { segments.pointee }
    /// Whether the kernel joins received datagrams (UDP_GRO, since Linux 5.0).
    public let joining: SocketOffload

    /// Binds a socket, with the kernel's offloads if available, to `interface` (nil means any) and `address`
    /// (nil means all of the family); port 0 lets the kernel choose.
    /// - Parameters:
    ///   - sharesPort: whether other sockets with this option may bind the same address and port; see `steer`.
    ///   - mark: the mark of outgoing packets (SO_MARK), for rules and filters; 0 for none.
    /// - Throws: `TransportError`, after closing the socket.
    public init(
        boundTo interface: String?, family: IPAddress.Family, address: IPAddress? = nil, port: UInt16 = 0,
        wantsOffloads: Bool = true, sharesPort: Bool = false, mark: UInt32 = 0
    ) throws(TransportError) {
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family == .v4 ? AF_INET : AF_INET6, kind, 0)
        guard descriptor >= 0 else { throw .failed("open a UDP socket", errno: errno) }
        let setup = SocketSetup(descriptor: descriptor, family: family)
        let index: UInt32
        let bound: UInt16
        do throws(TransportError) {
            if sharesPort { try setup.sharePort() }
            if mark != 0 { try setup.mark(mark) }
            index = try setup.bind(to: interface)
            bound = try setup.bind(to: address, port: port, zone: index)
        } catch {
            close(descriptor)
            throw error
        }
        setup.stamp()
        fileDescriptor = descriptor
        self.family = family
        interfaceIndex = index
        localPort = bound
        table = MessageTable(capacity: 64)
        rowEntries = .allocate(capacity: 64)
        rowEntries.initialize(repeating: 0, count: 64)
        segments = .allocate(capacity: 1)
        segments.initialize(to: wantsOffloads ? setup.segmentation : .off)
        joining = wantsOffloads ? setup.join() : .off
    }

    deinit {
        close(fileDescriptor)
        rowEntries.deallocate()
        segments.deallocate()
    }

    /// Makes the kernel choose by this rule among the sockets that share this one's address and port. Before
    /// that, and if the rule yields a socket that does not exist, it chooses by a hash of both addresses.
    /// - Throws: `TransportError.failed`
    public borrowing func steer(_ steering: Steering) throws(TransportError) {
        let code = clinux_steer(fileDescriptor, steering.rule)
        guard code == 0 else { throw .failed("steer datagrams to the data threads", errno: -code) }
    }

    /// Receives up to a batch of datagrams; returns their number, 0 if there are none at present, or a negative
    /// errno. The batch's own count may be smaller, because it refuses oversized ones.
    public borrowing func receive(into batch: inout ReceiveBatch) -> Int {
        batch.fill(from: fileDescriptor)
    }

    /// Sends the outbox's `entries`, all of which must have links through this socket, in order.
    ///
    /// A datagram that the kernel refuses is dropped and the next one is tried, but if buffers are full (EAGAIN,
    /// ENOBUFS) sending stops at `SendResult.next`.
    public borrowing func send(_ outbox: borrowing Outbox, entries: Range<Int>) -> SendResult {
        var result = SendResult(next: entries.lowerBound)
        /// Datagrams up to here were refused as a group and are sent one by one.
        var singlesEnd = 0
        while result.next < entries.upperBound {
            var rows = 0
            var next = result.next
            let goesSingly = next < singlesEnd
            let end = goesSingly ? min(singlesEnd, entries.upperBound) : entries.upperBound
            while rows < table.capacity && next < end {
                let count = segments.pointee == .on && !goesSingly ? run(in: outbox, from: next, to: end) : 1
                let first = outbox[next]
                table.prepareToSend(
                    rows, outbox.datagrams(from: next, count: count),
                    segmentSize: count > 1 ? first.length : nil, ecn: first.ecn, to: first.link)
                rowEntries[rows] = count
                rows += 1
                next += count
            }
            let refused = result.failed
            switch send(rows: rows, &result) {
            case .done:
                // They could not be sent as a group but individually: this interface does not support
                // segmentation.
                if goesSingly && result.failed == refused { segments.pointee = .refused }
            case .full: return result
            case .splits(let count): singlesEnd = result.next + count
            }
        }
        return result
    }

    private enum Progress {
        /// The kernel accepted or refused all rows.
        case done
        /// The kernel's buffers are full.
        case full
        /// This many of the next datagrams have to be sent one by one.
        case splits(Int)
    }

    /// The number of entries from `start` on that can be sent as one: same link, size and ECN field; the last
    /// may be smaller.
    private borrowing func run(in outbox: borrowing Outbox, from start: Int, to end: Int) -> Int {
        let first = outbox[start]
        var bytes = first.length
        var next = start + 1
        while next < end && next - start < Self.maximumSegments {
            let entry = outbox[next]
            guard entry.length > 0, entry.length <= first.length, bytes + entry.length <= Self.maximumBytes,
                entry.offset == first.offset + bytes, entry.link == first.link, entry.ecn == first.ecn
            else { break }
            bytes += entry.length
            next += 1
            if entry.length < first.length { break }
        }
        return next - start
    }

    /// Sends the table's first `count` rows.
    private borrowing func send(rows count: Int, _ result: inout SendResult) -> Progress {
        var done = 0
        while done < count {
            let taken = clinux_send(fileDescriptor, table.messages + done, UInt32(count - done))
            if taken > 0 {
                for row in done..<done + Int(taken) {
                    result.sent += rowEntries[row]
                    result.next += rowEntries[row]
                }
                done += Int(taken)
                continue
            }
            var code = taken == 0 ? EAGAIN : -taken
            // EINVAL may mean that the segments exceed the MTU, EIO that the interface does not support
            // segmentation.
            if rowEntries[done] > 1 && (code == EIO || code == EINVAL || code == EMSGSIZE) {
                return .splits(rowEntries[done])
            }
            // IPv6 reports the same error for a deleted interface as for a missing route.
            if code == ENETUNREACH && interfaceIndex != 0 && !interfaceExists { code = ENODEV }
            result.note(code, entry: result.next)
            if code == EAGAIN || code == ENOBUFS { return .full }
            result.failed += rowEntries[done]
            result.next += rowEntries[done]
            done += 1
        }
        return .done
    }

    private var interfaceExists: Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) {
            if_indextoname(interfaceIndex, $0.baseAddress) != nil
        }
    }
}
