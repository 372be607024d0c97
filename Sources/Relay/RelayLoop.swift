import CLinux
import Glibc
import Packet
import Rules

/// The state of the relay's thread: sockets, connections, and pending work. Connections, flows and rules are
/// identified by number; forwarding does no allocation, reference counting or lookup by name.
struct RelayLoop: ~Copyable {
    let poller: Poller
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

    private let mailbox: Mailbox
    /// The time at the beginning of this turn; on the monotonic clock, and as Unix time in seconds.
    var now: Instant
    var wallSeconds: Int64 = 0
    var isRunning = true

    /// A relay without rules that takes commands from `mailbox`.
    init(_ poller: consuming Poller, _ resolver: consuming Resolver, reach: Reach, mailbox: Mailbox) {
        self.poller = poller
        self.resolver = resolver
        self.reach = reach
        self.mailbox = mailbox
        now = Instant(nanoseconds: clinux_monotonic())
        reserve = Self.openReserve()
    }

    deinit {
        scratch.deallocate()
        if reserve >= 0 { close(reserve) }
    }

    /// Runs until told to stop.
    mutating func run() {
        while isRunning {
            let count = poller.wait(until: queue.isEmpty ? nextDeadline : .zero, now: now)
            readClock()
            for index in 0..<count {
                guard let event = poller.event(index) else { continue }
                dispatch(event.token, event.events)
            }
            while let due = deadlines.take(now) { expire(due.token, at: due.at) }
            carryOn()
            takeAnswers()
            cutOff()
        }
        closeAll()
        for command in mailbox.shut() { perform(command) }
    }

    private var nextDeadline: Instant { min(deadlines.next, resolver.nextDeadline(now: now)) }

    mutating func readClock() {
        now = Instant(nanoseconds: clinux_monotonic())
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
