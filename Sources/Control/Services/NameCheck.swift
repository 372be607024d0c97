import Glibc
import Packet
import Rules
import Runtime
import Synchronization

/// Looks whether all targets of a rule lead out of the tunnel, before the control plane is told that the rule is carried: which of
/// its addresses may be dialled is looked at each time, but a rule with none should be refused. The control plane never forgets a
/// refusal, and what DNS says may be otherwise soon; one target inside, or one answer of two, is enough for a rule.
final class NameCheck: Sendable {
    /// How long a control plane waits, in microseconds: it takes 2 s for silence.
    private static let patience: UInt32 = 1_400_000
    /// How long until DNS is asked again, in microseconds.
    private static let pause: UInt32 = 600_000
    /// The most rules that are looked at at once; what comes on top is not, as threads are no way to attack this program.
    private static let most = 16

    private let running = Atomic<Int>(0)

    /// Calls `done` once: with whether all targets have addresses, and none of them is inside; with false when that is not known in
    /// time.
    func begin(_ rule: Rule, reach: Reach, done: @escaping @Sendable (Bool) -> Void) {
        let names = rule.targets.map(\.host).filter { IPAddress($0) == nil }
        // Addresses were looked at before, so that those that are left are inside.
        guard names.count == rule.targets.count, !rule.mayLeaveTunnel else { return done(false) }
        guard running.add(1, ordering: .relaxed).newValue <= Self.most else {
            running.subtract(1, ordering: .relaxed)
            return done(false)
        }
        let isDone = Flag()
        // Dispatch and Swift's tasks share a few threads, which a name server that is silent would take from them.
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

    /// Runs `body` on a thread of its own, or here when there is none to be had.
    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        do throws(RuntimeError) {
            try Thread.detach(name: "name check", body)
        } catch {
            body()
        }
    }

    /// Raised once.
    private final class Flag: Sendable {
        private let isUp = Atomic<Bool>(false)

        /// Whether this was the first time.
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
