import CLinux
import Glibc
import Packet

/// A UDP socket of one family, bound to an interface or an address, that sends and receives in batches.
///
/// Datagrams are never fragmented, and the kernel's own path MTU is ignored (IP_PMTUDISC_PROBE), as the paths find
/// theirs themselves (RFC 8899). ICMP errors are not asked for (no IP_RECVERR): nobody vouches for them, and one
/// client's would surface in another's send. What the kernel itself finds out, such as a missing route, is reported.
public struct DatagramSocket: ~Copyable {
    /// The buffer in each direction that is asked for, in bytes: 50 ms of 1 Gbit/s and the kernel's bookkeeping.
    public static let bufferSize = 7 << 20

    /// The descriptor, for epoll; it does not block and is closed on exec.
    public let fileDescriptor: Int32
    /// The family that the socket speaks.
    public let family: IPAddress.Family
    /// The index of the interface that it is bound to; 0 when it is bound to none.
    public let interfaceIndex: UInt32
    /// The port that it is bound to, in host order.
    public let localPort: UInt16

    private let table: MessageTable
    /// How many of the outbox's entries each row of the table holds.
    private let rowEntries: UnsafeMutablePointer<Int>
    /// Switched off for good by the first refusal, as drivers and interfaces that can't cut say EIO or EINVAL.
    private let segments: UnsafeMutablePointer<SocketOffload>

    /// The most datagrams and bytes that the kernel cuts at once (Linux' UDP_MAX_SEGMENTS, and IPv4's largest packet).
    private static let maximumSegments = 64
    private static let maximumBytes = 65000

    /// Whether the kernel cuts what is sent, so that datagrams of one size leave together (UDP_SEGMENT, since Linux 4.18).
    public var segmentation: SocketOffload { segments.pointee }
    /// Whether the kernel joins what is received (UDP_GRO, since Linux 5.0).
    public let joining: SocketOffload

    /// Binds a socket, with the kernel's offloads where it has them, to `interface` (nil: any) and `address` (nil: all of
    /// the family); port 0 lets the kernel choose.
    /// - Parameters:
    ///   - sharesPort: whether other sockets that share it may bind the same address and port; see `steer`.
    ///   - mark: what packets are marked with (SO_MARK), for rules and filters; 0: nothing.
    /// - Throws: `TransportError`; the socket is closed again then.
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

    /// Has the kernel choose among the sockets that share this one's address and port. Before, and where the rule names
    /// a socket that is not there, it chooses by a hash of both addresses.
    /// - Throws: `TransportError.failed`
    public borrowing func steer(_ steering: Steering) throws(TransportError) {
        let code = clinux_steer(fileDescriptor, steering.rule)
        guard code == 0 else { throw .failed("steer datagrams to the data threads", errno: -code) }
    }

    /// Receives up to a batch of datagrams: how many came, 0 when there are none now, or a negative errno.
    /// The batch's own count may be smaller, as it refuses oversized ones.
    public borrowing func receive(into batch: inout ReceiveBatch) -> Int {
        batch.fill(from: fileDescriptor)
    }

    /// Sends the outbox's `entries`, all of which must be links of this socket, in order.
    ///
    /// A datagram that the kernel refuses is dropped and the next one tried, but when there is no room (EAGAIN,
    /// ENOBUFS) sending stops at `SendResult.next`.
    public borrowing func send(_ outbox: borrowing Outbox, entries: Range<Int>) -> SendResult {
        var result = SendResult(next: entries.lowerBound)
        /// Datagrams that the kernel refused together go one by one up to here.
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
                // What could not leave together but could singly: this interface does not cut.
                if goesSingly && result.failed == refused { segments.pointee = .refused }
            case .full: return result
            case .splits(let count): singlesEnd = result.next + count
            }
        }
        return result
    }

    private enum Progress {
        /// The kernel took or refused all rows.
        case done
        /// There is no room for more.
        case full
        /// So many datagrams, which come next, must go one by one.
        case splits(Int)
    }

    /// How many entries from `start` on can leave as one: one link, one size, one ECN field; the last may be smaller.
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
            // EINVAL may mean that the segments are larger than the MTU, EIO that the interface does not cut at all.
            if rowEntries[done] > 1 && (code == EIO || code == EINVAL || code == EMSGSIZE) {
                return .splits(rowEntries[done])
            }
            // IPv6 says of a deleted interface what it says of a missing route.
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
