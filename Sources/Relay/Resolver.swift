import CAres
import CLinux
import Glibc
import Packet
import Transport

/// Resolves names with c-ares, whose sockets the relay's epoll watches.
struct Resolver: ~Copyable {
    /// The result of a lookup: no addresses if it failed.
    struct Answer {
        let name: String
        let addresses: [IPAddress]
        /// How long the result is valid, in seconds.
        let lifetime: Int64
    }

    /// Results and socket changes written by c-ares' callbacks.
    private final class Inbox {
        var answers: [Answer] = []
        /// Sockets whose events to watch have changed, in order.
        var changes: [(socket: Int32, reading: Bool, writing: Bool)] = []
    }

    /// A lookup in progress.
    private final class Question {
        let name: String
        let inbox: Inbox
        init(_ name: String, _ inbox: Inbox) {
            self.name = name
            self.inbox = inbox
        }
    }

    /// Timeout for a name server, in milliseconds.
    private static let patience: Int32 = 3000
    private let inbox = Inbox()
    private let nameServers: String?
    private var channel: ares_channel?
    /// The state of the host's name server configuration when it was read.
    private var configuration = timespec()
    private var pending = 0

    /// - Parameter nameServers: the servers to query; nil means those of the host's configuration.
    init(nameServers: [Endpoint]?) throws(RelayError) {
        self.nameServers = nameServers?.map(\.description).joined(separator: ",")
        guard ares_library_init(ARES_LIB_INIT_NONE) == 0 else {
            throw .kernel("begin with c-ares", errno: ENOMEM)
        }
        open()
    }

    deinit {
        if let channel { ares_destroy(channel) }
        ares_library_cleanup()
    }

    /// Whether lookups are in progress.
    var isBusy: Bool { pending > 0 }

    // After every call into c-ares, `poller` is updated at once: a descriptor that c-ares has closed may be
    // reused by a caller's connection.

    /// Starts resolving a name; `takeAnswers` returns the result.
    mutating func ask(_ name: String, _ poller: borrowing Poller) {
        reopen()
        update(poller)
        guard let channel else { return inbox.answers.append(Answer(name: name, addresses: [], lifetime: 0)) }
        pending += 1
        var hints = ares_addrinfo_hints()
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = Int32(ARES_AI_NOSORT)
        let question = Unmanaged.passRetained(Question(name, inbox))
        ares_getaddrinfo(
            channel, name, nil, &hints,
            { argument, status, _, result in
                let question = Unmanaged<Question>.fromOpaque(argument!).takeRetainedValue()
                question.inbox.answers.append(Resolver.answer(to: question.name, status, result))
                if let result { ares_freeaddrinfo(result) }
            }, question.toOpaque())
        update(poller)
    }

    /// Handles events on one of its sockets.
    mutating func process(_ socket: Int32, _ events: UInt32, _ poller: borrowing Poller) {
        guard let channel else { return }
        let isReadable = events & ~EPOLLOUT.rawValue != 0
        let isWritable = events & ~EPOLLIN.rawValue != 0
        ares_process_fd(channel, isReadable ? socket : ARES_SOCKET_BAD, isWritable ? socket : ARES_SOCKET_BAD)
        update(poller)
    }

    /// Fails lookups that have timed out.
    mutating func processDeadlines(_ poller: borrowing Poller) {
        guard let channel, pending > 0 else { return }
        ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
        update(poller)
    }

    /// When `processDeadlines` has work to do.
    func nextDeadline(now: Instant) -> Instant {
        guard let channel, pending > 0 else { return .never }
        var room = timeval()
        guard let time = ares_timeout(channel, nil, &room) else { return .never }
        let (seconds, rest) = (Int64(time.pointee.tv_sec), Int64(time.pointee.tv_usec))
        // c-ares' clock may be a microsecond behind.
        return now + .seconds(seconds) + .microseconds(rest + 100)
    }

    /// Updates `poller` with the sockets c-ares wants to be watched.
    private mutating func update(_ poller: borrowing Poller) {
        for change in inbox.changes {
            let token = Token(.resolver, Int(change.socket))
            poller.watch(change.socket, reading: change.reading, writing: change.writing, token)
        }
        inbox.changes.removeAll(keepingCapacity: true)
    }

    /// The results of lookups since the last call.
    mutating func takeAnswers() -> [Answer] {
        guard !inbox.answers.isEmpty else { return [] }
        defer { inbox.answers.removeAll() }
        pending = max(0, pending - inbox.answers.count)
        return inbox.answers
    }

    /// Reads the host's configuration again if it has changed and no lookup is in progress.
    private mutating func reopen() {
        guard nameServers == nil, pending == 0 else { return }
        let current = Self.configurationTime()
        guard current.tv_sec != configuration.tv_sec || current.tv_nsec != configuration.tv_nsec else {
            return
        }
        if let channel { ares_destroy(channel) }
        channel = nil
        open()
    }

    private mutating func open() {
        configuration = Self.configurationTime()
        var options = ares_options()
        options.timeout = Self.patience
        // Each server is queried once; the name cache decides when to query again.
        options.tries = 1
        options.sock_state_cb = { argument, socket, isReading, isWriting in
            let inbox = Unmanaged<Inbox>.fromOpaque(argument!).takeUnretainedValue()
            inbox.changes.append((socket, isReading != 0, isWriting != 0))
        }
        options.sock_state_cb_data = Unmanaged.passUnretained(inbox).toOpaque()
        options.flags = Int32(ARES_FLAG_NOSEARCH)
        let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_FLAGS
        guard ares_init_options(&channel, &options, Int32(mask)) == 0 else {
            channel = nil
            return
        }
        if let nameServers { ares_set_servers_ports_csv(channel, nameServers) }
    }

    private static func configurationTime() -> timespec {
        var file = Glibc.stat()
        return stat("/etc/resolv.conf", &file) == 0 ? file.st_mtim : timespec()
    }

    private static func answer(
        to name: String, _ status: Int32, _ result: UnsafeMutablePointer<ares_addrinfo>?
    ) -> Answer {
        var addresses: [IPAddress] = []
        var lifetime = Int32.max
        var node = status == 0 ? result?.pointee.nodes : nil
        while let current = node {
            let bytes = UnsafeRawBufferPointer(
                start: current.pointee.ai_addr, count: Int(current.pointee.ai_addrlen))
            if bytes.count >= 16, let endpoint = SocketAddress.read(bytes),
                !addresses.contains(endpoint.address)
            {
                addresses.append(endpoint.address)
                lifetime = min(lifetime, current.pointee.ai_ttl)
            }
            node = current.pointee.ai_next
        }
        var alias = status == 0 ? result?.pointee.cnames : nil
        while let current = alias {
            lifetime = min(lifetime, current.pointee.ttl)
            alias = current.pointee.next
        }
        return Answer(name: name, addresses: addresses, lifetime: Int64(lifetime))
    }
}
