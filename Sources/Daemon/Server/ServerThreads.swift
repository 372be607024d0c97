import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Settings
import Transport
import Tun

/// A server's data threads, with their listening sockets.
struct ServerThreads {
    /// The time for all data threads together to end: they have a datagram to send to each client.
    private static let patience = Interval.seconds(2)

    private(set) var list: [DataThread] = []
    /// The mailboxes of all data threads by number.
    private let mailboxes: [ThreadMailbox]
    /// What the threads have for the main one: clients' wishes to enrol, and the news that one has reported.
    let wishes: Mailbox<EnrolmentWish>
    /// The listening addresses that the host can't have, a sentence each.
    private(set) var notices: [String] = []

    /// - Parameter count: at least 1.
    /// - Throws: `RuntimeError.kernel` when the process has no descriptor left.
    init(count: Int) throws(RuntimeError) {
        var mailboxes: [ThreadMailbox] = []
        for _ in 0..<count { mailboxes.append(try ThreadMailbox()) }
        self.mailboxes = mailboxes
        wishes = try Mailbox()
    }

    /// The number of data threads.
    var count: Int { mailboxes.count }
    var pulses: [Pulse] { list.map(\.pulse) }

    /// Opens the sockets of every data thread, in the order in which the kernel numbers them, and starts the
    /// threads.
    /// - Parameters:
    ///   - device: the tunnel's, whose first queue the first thread has.
    ///   - engine: makes the Engine of a thread by its number.
    mutating func start(
        _ settings: Configuration.Server, _ shared: Shared, device: consuming TunDevice,
        engine: (Int) -> Engine
    ) throws {
        let offload = shared.configuration.tunnel.offload
        var sockets: [[UDPSocket]] = []
        for number in 0..<count {
            sockets.append(try listen(settings, thread: number, offload: offload, shared.log))
        }
        func start(_ number: Int, _ queue: consuming TunDevice) throws -> DataThread {
            // A single thread has nobody to hand packets over to.
            var plane = DataPlane(engine(number), queue: queue, mailboxes: count > 1 ? mailboxes : [])
            for socket in sockets[number] { plane.install(socket) }
            return try DataThread(
                plane, number: number, mailbox: mailboxes[number], wishes: wishes, log: shared.log)
        }
        for number in 1..<count { list.append(try start(number, try device.makeQueue())) }
        list.insert(try start(0, device), at: 0)
    }

    /// The wishes that have come since the last call.
    func takeWishes() -> [EnrolmentWish] { wishes.take() }

    /// Sends a command to all data threads. The first comes last, so that the others know the clients of
    /// everything that it forwards from then on.
    func tell(_ command: ShardCommand) {
        for thread in list.reversed() { thread.mailbox.post(command) }
    }

    /// Ends the threads, which say goodbye to their clients.
    /// - Returns: whether all have ended; those that hang are left behind.
    mutating func stop(_ log: Log) -> Bool {
        tell(.stop)
        let end = Instant.now + Self.patience
        let hanging = list.filter { !$0.join(patience: end - Instant.now) }
        for thread in hanging {
            log(
                .error, "data thread \(thread.number) hangs and is left behind, its clients without a goodbye"
            )
        }
        list = []
        return hanging.isEmpty
    }

    // MARK: - Sockets

    /// A data thread's sockets, numbered like the addresses.
    private mutating func listen(
        _ settings: Configuration.Server, thread: Int, offload: Bool, _ log: Log
    ) throws -> [UDPSocket] {
        let others = settings.listen.filter { $0.address.family == .v4 }
        var sockets: [UDPSocket] = []
        for (number, endpoint) in settings.listen.enumerated() {
            if !others.isEmpty && endpoint.address.family == .v6, let reason = Self.lack(of: endpoint) {
                if thread == 0 {
                    let sentence = "\(reason), so [\(endpoint.address)]:\(endpoint.port) is not listened on"
                    log(.warning, sentence)
                    notices.append(sentence)
                }
                continue
            }
            do throws(TransportError) {
                // Sockets that share a port can share it with those of another bondd: check first that it is
                // free.
                if count > 1 && thread == 0 {
                    _ = try Self.open(endpoint, offload: offload, sharesPort: false)
                }
                let socket = try Self.open(endpoint, offload: offload, sharesPort: count > 1)
                if count > 1 && thread == 0 { try socket.steer(.bySession) }
                sockets.append(UDPSocket(socket, number: UInt16(number)))
            } catch {
                throw Failure("can't listen on \(endpoint): \(error.description)")
            }
        }
        return sockets
    }

    /// Why an IPv6 address can't be listened on for lack of the family: the kernel has none, or it is off and
    /// the host lacks the address. With IPv6 on, a missing address may still come, which is worth another start.
    private static func lack(of endpoint: Endpoint) -> String? {
        do throws(TransportError) {
            let any = endpoint.address == IPAddress(v6High: 0, low: 0)
            _ = try DatagramSocket(
                boundTo: nil, family: .v6, address: any ? nil : endpoint.address, wantsOffloads: false)
            return nil
        } catch .failed(_, errno: EAFNOSUPPORT) {
            return "this kernel has no IPv6"
        } catch .addressNotHere {
            return HostFamilies.lackOfIPv6(interface: "all")
        } catch {
            return nil
        }
    }

    private static func open(
        _ endpoint: Endpoint, offload: Bool, sharesPort: Bool
    ) throws(TransportError) -> DatagramSocket {
        let any =
            endpoint.address == IPAddress(v4: 0) || endpoint.address == IPAddress(v6High: 0, low: 0)
        return try DatagramSocket(
            boundTo: nil, family: endpoint.address.family, address: any ? nil : endpoint.address,
            port: endpoint.port, wantsOffloads: offload, sharesPort: sharesPort)
    }
}

extension Steering {
    /// Data and control datagrams carry the thread's number in three bits of the session ID (see Proto's
    /// `Wire` and the Engine's `Keyring`); handshakes go to the first thread, which finds their owner.
    fileprivate static var bySession: Steering {
        Steering(
            kindOffset: 3, kindMask: 0x0F, kinds: (Kind.data.rawValue, Kind.control.rawValue),
            wordOffset: 4, shift: 16, mask: 7)
    }
}

extension Configuration {
    /// The number of data threads: one unless a server's file says otherwise, as it is not shown that more never
    /// make a single client slower (see docs/benchmarks.md). A client's one session belongs to one thread.
    var threadCount: Int {
        switch role {
        case .client: 1
        case .server: tunnel.threads ?? 1
        }
    }
}
