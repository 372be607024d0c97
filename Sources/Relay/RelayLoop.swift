import Glibc
import Packet
import Rules
import Runtime

/// The state of the relay's thread: sockets, connections, and pending work. Connections, flows and rules are
/// identified by number; forwarding does no allocation, reference counting or lookup by name.
struct RelayLoop: ThreadLoop, ~Copyable {
    let poller: Poller<Token>
    var pipes = Pipes()
    var deadlines = Deadlines()
    var resolver: Resolver

    var reach: Reach
    var flowIdle = Interval.seconds(60)
    var maximumFlows = 1024

    var ports = Slab<Port>()
    var listeners = Slab<Listener>()
    var services = Slab<Service>()
    var owners = Slab<Owner>()
    var portNumbers: [PortKey: Int] = [:]
    var serviceNumbers: [RuleID: Int] = [:]
    var ownerNumbers: [String: Int] = [:]

    var connections = Slab<Connection>()
    var dials = Slab<Dial>()
    var hellos = Slab<ClientHello>()
    var peeks = PeekQueue()
    var flows = Slab<Flow>()
    var flowIndex = FlowIndex()
    /// Bytes held by flows whose targets' names are being resolved.
    var heldBytes = 0
    var datagrams = Datagrams()
    var probes = Slab<Probe>()
    var names = NameCache()
    /// Objects waiting for a name, and their rules.
    var waiters: [String: [(waiter: Token, service: Int)]] = [:]
    /// Connections that can continue once others have had their turn.
    var queue: [Token] = []
    /// Owners whose quota was exhausted since the last check.
    var usedUp: [Int] = []
    /// A buffer for peeking and for headers.
    let scratch = UnsafeMutableRawBufferPointer.allocate(
        byteCount: ClientHello.maximumSize, alignment: 64)
    /// A descriptor to release when none are left, so that a caller can then be accepted and rejected.
    var reserve: Int32

    private let mailbox: Mailbox<Command>
    /// The time at the beginning of this turn; on the monotonic clock, and as Unix time in seconds.
    var now: Instant
    var wallSeconds: Int64 = 0
    var isRunning = true

    /// Carries nothing yet, and does as `mailbox` says.
    init(
        _ poller: consuming Poller<Token>, _ resolver: consuming Resolver, reach: Reach,
        mailbox: Mailbox<Command>
    ) {
        self.poller = poller
        self.resolver = resolver
        self.reach = reach
        self.mailbox = mailbox
        now = Instant(nanoseconds: Clock.monotonic)
        reserve = Self.openReserve()
    }

    deinit {
        scratch.deallocate()
        if reserve >= 0 { close(reserve) }
    }

    /// Runs until told to stop.
    mutating func run() {
        while isRunning {
            let count = poller.wait(nanoseconds: patience)
            readClock()
            for index in 0..<count {
                guard let event = poller.event(index) else { continue }
                dispatch(event.source, event.events)
            }
            while let due = deadlines.take(now) { expire(due.token, at: due.at) }
            carryOn()
            takeAnswers()
            cutOff()
        }
        closeAll()
        for command in mailbox.close() { perform(command) }
    }

    /// Nanoseconds to wait for events: none while connections can go on, negative for as long as it takes.
    private var patience: Int64 {
        guard queue.isEmpty else { return 0 }
        let next = min(deadlines.next, resolver.nextDeadline(now: now))
        return next == .never ? -1 : max(0, (next - now).nanoseconds)
    }

    mutating func readClock() {
        now = Instant(nanoseconds: Clock.monotonic)
        wallSeconds = Int64(time(nil))
    }

    private mutating func dispatch(_ token: Token, _ events: UInt32) {
        switch token.kind {
        case .mailbox: for command in mailbox.take() { perform(command) }
        case .resolver: resolver.process(Int32(token.index), events, poller)
        case .listener:
            guard listeners.contains(token) else { return }
            switch ports[listeners[token.index].pointee.port].pointee.transport {
            case .tcp: accept(token)
            case .udp: receive(token)
            }
        case .client, .target: if connections.contains(token) { notice(token, events) }
        case .flow: if flows.contains(token) { answer(token.index, events) }
        case .probe: if probes.contains(token) { finishProbe(token.index) }
        case .connection, .service, .probing, .addresses: break
        }
    }

    /// Handles an expired deadline.
    private mutating func expire(_ token: Token, at instant: Instant) {
        switch token.kind {
        case .listener: if listeners.contains(token) { resume(token) }
        case .addresses: if ports.contains(token) { lookAtAddresses(token.index) }
        case .connection: if connections.contains(token) { look(token.index, at: instant) }
        case .flow: if flows.contains(token) { lookAtFlow(token.index, at: instant) }
        case .probe: if probes.contains(token) { endProbe(token.index, isUp: false) }
        case .probing: if services.contains(token) { startProbes(token.index, at: instant) }
        case .service: if services.contains(token) { evict(token.index) }
        case .mailbox, .resolver, .client, .target: break
        }
    }

    static func openReserve() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }
}

/// An owner of rules.
struct Owner {
    let name: String
    /// The joint limit of all its rules; never nil, so that connections are counted before there is a limit.
    var allowance: Allowance?
    /// The remaining quota; nil means unlimited.
    var meter: QuotaMeter?
    /// Bytes carried for it.
    var bytes: UInt64 = 0
    /// The number of its rules.
    var services = 0
}

/// A connection to a target made to check whether it answers.
struct Probe {
    /// The number of the rule and the index of the target.
    let service: Int32
    let target: Int
    /// The socket; -1 while the target's name is being resolved.
    var socket: Int32 = -1
    /// The target's addresses that have not been tried yet.
    var addresses: ArraySlice<IPAddress> = []
    /// Whether some address could be contacted, and whether this host itself prevented another attempt.
    var isAsked = false
    var isHindered = false
}

/// A connection's attempt to reach a target.
struct Dial {
    /// The targets in the order in which they are tried.
    let targets: [Int]
    /// How many of them have been started.
    var begun = 0
    /// The addresses of the last target started, and how many of them have been started.
    var addresses: [IPAddress] = []
    var tried = 0
    /// Whether some address of the last target could be contacted, and whether this host itself prevented
    /// another attempt.
    var isAsked = false
    var isHindered = false
    /// When the whole attempt is given up.
    let end: Instant

    init(targets: [Int], end: Instant) {
        self.targets = targets
        self.end = end
    }
}

/// A listening socket.
struct Listener {
    let socket: Int32
    /// The number of its port.
    let port: Int
    /// The address it is bound to.
    let address: IPAddress
}

/// The ends of the list of connections waiting for a server name, by number; the links are in the connections.
struct PeekQueue {
    var oldest: Int32 = -1
    var newest: Int32 = -1
    var count = 0

    /// Maximum number of waiting connections. One more evicts the one that has waited longest: a genuine client
    /// sends the name within a round trip, and slow ones cannot lock out others.
    static let maximum = 1024
}
