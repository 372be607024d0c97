import Glibc
import Packet
import Rules
import Synchronization

/// Checks that all targets of a rule lead out of the tunnel before the control plane is told that the rule is
/// carried. Addresses are checked again at each dial, but a rule without any permitted one should be refused.
/// The control plane never forgets a refusal, and DNS may soon answer differently, so one target inside, or one
/// of two answers, suffices for a rule.
final class NameCheck: Sendable {
    /// How long a control plane waits, in microseconds: it treats 2 s of silence as a failure.
    private static let patience: UInt32 = 1_400_000
    /// Interval between DNS queries, in microseconds.
    private static let pause: UInt32 = 600_000
    /// Maximum number of concurrent lookups. Further rules are accepted unchecked, so that a flood of pushes
    /// cannot exhaust threads.
    private static let most = 16

    private let running = Atomic<Int>(0)

    /// Calls `done` once: with true if all targets have addresses and none of them is inside; with false if
    /// that could not be determined in time.
    func begin(_ rule: Rule, reach: Reach, done: @escaping @Sendable (Bool) -> Void) {
        let names = rule.targets.map(\.host).filter { IPAddress($0) == nil }
        // Addresses were checked before, so any left are inside.
        guard names.count == rule.targets.count, !rule.mayLeaveTunnel else { return done(false) }
        guard running.add(1, ordering: .relaxed).newValue <= Self.most else {
            running.subtract(1, ordering: .relaxed)
            return done(false)
        }
        let isDone = Flag()
        // Dispatch and Swift's tasks share a few threads, which a silent name server would block.
        Self.onThread {
            func leadOutside() -> Bool {
                names.allSatisfy { name in
                    let addresses = Self.addresses(of: name)
                    return !addresses.isEmpty && rule.dialOrder(addresses, reach: reach).isEmpty
                }
            }
            var leads = leadOutside()
            if leads {
                usleep(Self.pause)
                leads = leadOutside()
            }
            self.running.subtract(1, ordering: .relaxed)
            if isDone.raise() { done(leads) }
        }
        Self.onThread {
            usleep(Self.patience)
            if isDone.raise() { done(false) }
        }
    }

    /// Runs the body on its own thread, or synchronously if none can be started.
    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            {
                Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body(); return nil
            }, box.toOpaque())
        if code == 0 { pthread_detach(thread) } else { box.takeRetainedValue().body() }
    }

    /// A flag that can be raised once.
    private final class Flag: Sendable {
        private let isUp = Atomic<Bool>(false)

        /// Raises the flag; returns whether this was the first time.
        func raise() -> Bool { !isUp.exchange(true, ordering: .relaxed) }
    }

    private static func addresses(of name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next, addresses.count < 64 {
            next = entry.pointee.ai_next
            guard let address = entry.pointee.ai_addr else { continue }
            let bytes = UnsafeRawPointer(address)
            switch entry.pointee.ai_family {
            case AF_INET:
                addresses.append(IPAddress(.v4, bytes: UnsafeRawBufferPointer(start: bytes + 4, count: 4)))
            case AF_INET6:
                addresses.append(IPAddress(.v6, bytes: UnsafeRawBufferPointer(start: bytes + 8, count: 16)))
            default: break
            }
        }
        return addresses
    }
}
