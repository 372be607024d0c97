import CLinux
import Glibc
import Runtime
import Synchronization

/// A TCP server of a test: each connection has a thread.
final class Target: @unchecked Sendable {
    let port: UInt16
    private let listener: Wire
    private let accepted = Atomic(0)

    /// The number of connections so far.
    var count: Int { accepted.load(ordering: .sequentiallyConsistent) }

    init(port: UInt16 = 0, v6: Bool = false, _ serve: @escaping @Sendable (Wire) -> Void = Target.echo) {
        let listener = Wire.bound(port: port, v6: v6)!
        listener.setPatience(milliseconds: 0)
        Glibc.listen(listener.descriptor, 4096)
        self.listener = listener
        self.port = listener.port
        Thread.start { [weak self] in
            while true {
                let client = Glibc.accept(listener.descriptor, nil, nil)
                guard client >= 0 else { return }
                self?.accepted.add(1, ordering: .sequentiallyConsistent)
                let wire = Wire(client)
                Thread.start { serve(wire) }
            }
        }
    }

    deinit { stop() }

    /// Accepts no more connections.
    func stop() { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    /// Echoes everything.
    static let echo: @Sendable (Wire) -> Void = { wire in
        wire.setPatience(milliseconds: 0)
        while let bytes = wire.read(), !bytes.isEmpty { wire.write(bytes) }
    }
}

/// Threads of tests, and waiting for conditions.
enum Thread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new thread.
    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 << 10)
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        precondition(code == 0, "no thread")
    }

    /// Waits for at most that long until `condition` holds; returns whether it does.
    static func wait(seconds: Double = 5, until condition: () -> Bool) -> Bool {
        let end = Clock.monotonic + UInt64(seconds * 1e9)
        while Clock.monotonic < end {
            if condition() { return true }
            usleep(2000)
        }
        return condition()
    }
}
