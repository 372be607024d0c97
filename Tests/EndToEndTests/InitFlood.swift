import Glibc
import Lab
import Packet
import Proto
import Synchronization

/// A host that knows the server's key and sends inits: as a flood of strangers' inits, or one proper handshake.
final class InitFlood {
    private let server: PublicKey
    private let descriptor: Int32
    private var inits: [[UInt8]] = []
    private var withCookie: [[UInt8]] = []
    private let isRunning = Atomic<Bool>(false)
    private let sentCount = Atomic<Int>(0)
    private var thread = pthread_t()

    /// - Parameter count: the number of distinct inits; each costs two key agreements to create.
    init(from namespace: Namespace, to endpoint: Endpoint, server key: String, count: Int = 64) throws {
        server = PublicKey(base64: key)!
        descriptor = Self.socket(in: namespace, to: endpoint)
        var entropy = Entropy(seed: Sodium.systemSeed())
        let first = try Self.initiator(.generate(&entropy), server, &entropy)
        var (bytes, mac1) = Self.bytes(first, nil)
        // The server is under load from the 257th init in a second on.
        var jar = CookieJar(responder: server)
        var answer = [UInt8](repeating: 0, count: 256)
        for _ in 0..<20 where jar.current(Self.now) == nil {
            for _ in 0..<400 { send(descriptor, bytes, bytes.count, 0) }
            let end = Clock.monotonic + 0.2
            while jar.current(Self.now) == nil, Clock.monotonic < end {
                let length = recv(descriptor, &answer, answer.count, Int32(MSG_DONTWAIT))
                guard length > 0 else { continue }
                answer.withUnsafeBytes {
                    _ = jar.read(
                        UnsafeRawBufferPointer(rebasing: $0[..<length]), answering: mac1, now: Self.now)
                }
            }
        }
        for _ in 0..<count {
            let initiator = try Self.initiator(.generate(&entropy), server, &entropy)
            (bytes, mac1) = Self.bytes(initiator, nil)
            inits.append(bytes)
            if let cookie = jar.current(Self.now) { withCookie.append(Self.bytes(initiator, cookie).bytes) }
        }
    }

    deinit { close(descriptor) }

    /// Whether the server has given it a cookie.
    var hasCookie: Bool { !withCookie.isEmpty }

    /// Sends `rate` inits per second, or as many as possible, until `stop`.
    func start(rate: Int, cookies: Bool) {
        let (inits, descriptor) = (cookies ? withCookie : inits, descriptor)
        isRunning.store(true, ordering: .relaxed)
        sentCount.store(0, ordering: .relaxed)
        let held = Unmanaged.passRetained(
            Work { [self] in
                let begin = Clock.monotonic
                var sent = 0
                while isRunning.load(ordering: .relaxed), Clock.monotonic - begin < 60 {
                    let due = min(sent + rate / 200, Int((Clock.monotonic - begin) * Double(rate)))
                    while sent < due {
                        send(descriptor, inits[sent % inits.count], Wire.initSize, 0)
                        sent += 1
                    }
                    sentCount.store(sent, ordering: .relaxed)
                    usleep(500)
                }
            })
        pthread_create(
            &thread, nil,
            {
                Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body()
                return nil
            }, held.toOpaque())
    }

    /// Stops the flood.
    /// - Returns: the number of inits sent.
    func stop() -> Int {
        isRunning.store(false, ordering: .relaxed)
        pthread_join(thread, nil)
        return sentCount.load(ordering: .relaxed)
    }

    /// Performs one proper handshake, with an init every second until it is answered.
    /// - Returns: the seconds it took; nil after 5.
    static func shakeHands(
        _ key: borrowing PrivateKey, from namespace: Namespace, to endpoint: Endpoint, server: String
    ) throws -> Double? {
        let server = PublicKey(base64: server)!
        let descriptor = socket(in: namespace, to: endpoint)
        defer { close(descriptor) }
        var entropy = Entropy(seed: Sodium.systemSeed())
        let initiator = try initiator(key.copy(), server, &entropy)
        var jar = CookieJar(responder: server)
        let start = Clock.monotonic
        var nextInit = start
        var mac1: Mac?
        func sendInit() {
            let init_ = bytes(initiator, jar.current(now))
            mac1 = init_.mac1
            send(descriptor, init_.bytes, init_.bytes.count, 0)
        }
        while Clock.monotonic - start < 5 {
            if Clock.monotonic >= nextInit {
                sendInit()
                nextInit += 1
            }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 10) == 1 else { continue }
            var answer = [UInt8](repeating: 0, count: 256)
            let length = recv(descriptor, &answer, answer.count, 0)
            guard length > 0, let mac1 else { continue }
            let isDone = answer.withUnsafeBytes { answer in
                let answer = UnsafeRawBufferPointer(rebasing: answer[..<length])
                if jar.read(answer, answering: mac1, now: now) { sendInit() }
                return (try? initiator.readResponse(answer).sessionID) != nil
            }
            if isDone { return Clock.monotonic - start }
        }
        return nil
    }

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private static var now: Instant { Instant(nanoseconds: UInt64(Clock.monotonic * 1e9)) }

    private static func initiator(
        _ key: consuming PrivateKey, _ server: PublicKey, _ entropy: inout Entropy
    ) throws -> Initiator {
        try Initiator(
            staticKey: key, responder: server, sessionID: entropy.next32() | 1,
            payload: InitPayload(timestamp: Timestamp(seconds: UInt64(Clock.wall), nanoseconds: 0)),
            entropy: &entropy)
    }

    private static func bytes(_ initiator: borrowing Initiator, _ cookie: Cookie?) -> (
        bytes: [UInt8], mac1: Mac
    ) {
        var bytes = [UInt8](repeating: 0, count: Wire.initSize)
        let mac1 = bytes.withUnsafeMutableBytes {
            initiator.writeInit(pathID: 1, cookie: cookie, to: $0).mac1
        }
        return (bytes, mac1)
    }

    private static func socket(in namespace: Namespace, to endpoint: Endpoint) -> Int32 {
        let descriptor = namespace.inside {
            Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        }
        TCPProbe.with("\(endpoint.address)", endpoint.port) { precondition(connect(descriptor, $0, $1) == 0) }
        return descriptor
    }
}
