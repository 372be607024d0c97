import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Scheduler
import Settings
import Transport

// A server's other data threads: start, commands, end.
extension Server {
    /// How long the end of the data threads may take, all in all: they have a datagram to send to each
    /// client.
    private static var patience: Interval { .seconds(2) }

    /// Opens the sockets of every data thread, in the order by which the kernel numbers them, and starts the
    /// threads.
    func startThreads() throws {
        for socket in try listen(thread: 0) { shared.install(socket) }
        for number in 1..<max(1, owners.count) {
            let engine = Self.engine(
                number, shared.configuration, handed, mtu: shared.tunnel.mtu, &owners,
                cookieSeed: cookieSeed)
            var other = DataPlane(engine, queue: try shared.plane.queue.makeQueue(), mailboxes: mailboxes)
            for socket in try listen(thread: number) { other.install(socket) }
            threads.append(
                try DataThread(other, number: number, mailbox: mailboxes[number], log: shared.log))
        }
    }

    /// A data thread's sockets, numbered as the addresses are.
    private func listen(thread: Int) throws -> [UDPSocket] {
        let others = settings.listen.filter { $0.address.family == .v4 }
        return try settings.listen.enumerated().compactMap { number, endpoint in
            if !others.isEmpty && endpoint.address.family == .v6, let reason = Self.lack(of: endpoint) {
                if thread == 0 {
                    let sentence = "\(reason), so [\(endpoint.address)]:\(endpoint.port) is not listened on"
                    shared.log(.warning, sentence)
                    leftOutListeners.append(sentence)
                }
                return nil
            }
            do throws(TransportError) {
                // Sockets that share a port don't mind those of another bondd: see first whether it is free.
                if owners.count > 1 && thread == 0 { _ = try open(endpoint, sharesPort: false) }
                let socket = try open(endpoint, sharesPort: owners.count > 1)
                if owners.count > 1 && thread == 0 { try socket.steer(.bySession) }
                return UDPSocket(socket, number: UInt16(number))
            } catch {
                throw Failure("can't listen on \(endpoint): \(error.description)")
            }
        }
    }

    /// Why an IPv6 address can't be listened on for lack of the family: the kernel has none, or it is off and
    /// the address not here. Elsewhere an address that is missing may still come, which is worth another
    /// start.
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

    private func open(_ endpoint: Endpoint, sharesPort: Bool) throws(TransportError) -> DatagramSocket {
        let any =
            endpoint.address == IPAddress(v4: 0) || endpoint.address == IPAddress(v6High: 0, low: 0)
        return try DatagramSocket(
            boundTo: nil, family: endpoint.address.family, address: any ? nil : endpoint.address,
            port: endpoint.port, wantsOffloads: shared.configuration.tunnel.offload,
            sharesPort: sharesPort)
    }

    /// Tells all data threads but the main one.
    func tellThreads(_ command: ShardCommand) {
        for thread in threads { thread.mailbox.post(command) }
    }

    /// Ends the other data threads, which say good-bye to their clients.
    /// - Returns: whether all have ended; those that hang are left behind.
    func stopThreads() -> Bool {
        tellThreads(.stop)
        let end = Instant.now + Self.patience
        let hanging = threads.filter { !$0.join(patience: end - Instant.now) }
        for thread in hanging {
            shared.log(
                .error,
                "data thread \(thread.number) hangs and is left behind, its clients without a good-bye")
        }
        threads = []
        return hanging.isEmpty
    }
}

extension Steering {
    /// Data and control datagrams carry the thread's number in three bits of the session ID (see Proto's
    /// `Wire` and the Engine's `Keyring`); handshakes go to the first thread, which finds out whose they are.
    fileprivate static var bySession: Steering {
        Steering(
            kindOffset: 3, kindMask: 0x0F, kinds: (Kind.data.rawValue, Kind.control.rawValue),
            wordOffset: 4,
            shift: 16, mask: 7)
    }
}

extension Configuration {
    /// How many data threads there are: one unless a server's file says otherwise, as it is not shown that
    /// more never make a single client slower (see docs/benchmarks.md). A client's one session is one
    /// thread's.
    var threadCount: Int {
        switch role {
        case .client: 1
        case .server: tunnel.threads ?? 1
        }
    }
}
