import CLinux
import Glibc
import Synchronization

/// An anonymous network namespace, held only by a descriptor of this process: it has no name in /run/netns, and
/// disappears with the process, however that ends.
public final class Namespace: Sendable {
    private struct State {
        var fd: Int32
        var children: [Weak] = []
    }
    private struct Weak: Sendable { weak var child: Child? }

    /// The name used in messages.
    public let name: String
    private let state: Mutex<State>

    /// Creates a namespace whose only interface, lo, is up; without reverse-path filter, as hosts with several
    /// uplinks require. Throws `system` (EPERM: see `Lab.privilege`).
    public init(name: String) throws(LabError) {
        self.name = name
        state = Mutex(State(fd: try Self.make()))
        try ip("link set lo up")
        try sysctl("net/ipv4/conf/all/rp_filter", "0")
        try sysctl("net/ipv4/conf/default/rp_filter", "0")
    }

    deinit { close() }

    /// Creates a namespace and returns a descriptor for it; the calling thread is back in its own when this
    /// returns.
    static func make() throws(LabError) -> Int32 {
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        guard home >= 0 else { throw .system(call: "opening /proc/thread-self/ns/net", errno: errno) }
        defer { Glibc.close(home) }
        let status = lab_unshare_network()
        guard status == 0 else { throw .system(call: "unshare(CLONE_NEWNET)", errno: -status) }
        let fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let error = errno
        precondition(lab_enter_network(home) == 0, "the thread is stranded in a new network namespace")
        guard fd >= 0 else { throw .system(call: "opening /proc/thread-self/ns/net", errno: error) }
        return fd
    }

    /// The path of the namespace, for `nsenter --net=` and `ip … netns`; valid while this process holds it.
    public var path: String { "/proc/\(getpid())/fd/\(state.withLock { $0.fd })" }

    /// Runs a program inside to completion and returns its output. Throws like `Child.run`.
    @discardableResult public func run(_ arguments: [String], seconds: Double = 10) throws(LabError) -> String
    {
        try Child.run(arguments, in: self, seconds: seconds)
    }

    /// Starts a program inside. Throws like `Child.init`.
    public func spawn(
        _ arguments: [String], environment: [String: String] = [:], output: Child.Output = .captured
    ) throws(LabError) -> Child {
        try Child(arguments, in: self, environment: environment, output: output)
    }

    /// Runs commands of `ip`, one on each line and without the word `ip`; returns their output.
    @discardableResult public func ip(_ commands: String) throws(LabError) -> String {
        try Child.run(["ip", "-batch", "-"], in: self, input: .text(commands + "\n"))
    }

    /// Sets a kernel parameter of the namespace, e.g. `net/ipv4/ip_forward`.
    public func sysctl(_ path: String, _ value: String) throws(LabError) {
        let error: Int32 = inside {
            let fd = open("/proc/sys/\(path)", O_WRONLY | O_CLOEXEC)
            if fd < 0 { return errno }
            defer { Glibc.close(fd) }
            return write(fd, value, value.utf8.count) == value.utf8.count ? 0 : errno
        }
        if error != 0 { throw .system(call: "setting \(path) in namespace '\(name)'", errno: error) }
    }

    /// Runs `body` with the calling thread moved into the namespace, so that sockets and devices opened by it
    /// belong to the namespace, even after it returns. Traps if the lab is closed.
    public func inside<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
    {
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        defer { Glibc.close(home) }
        let entered = lab_enter_network(state.withLock { $0.fd })
        precondition(
            home >= 0 && entered == 0, "cannot enter network namespace '\(name)' (errno \(-entered))")
        defer {
            precondition(
                lab_enter_network(home) == 0, "the thread is stranded in network namespace '\(name)'")
        }
        return try body()
    }

    /// Whether the namespace has IPv6.
    var hasIPv6: Bool { inside { access("/proc/thread-self/net/if_inet6", F_OK) == 0 } }

    /// Whether a socket listens on a TCP port.
    public func isListening(port: UInt16) -> Bool {
        let digits = String(port, radix: 16, uppercase: true)
        let local = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        return inside {
            ["tcp", "tcp6"].contains { table in
                guard let file = fopen("/proc/thread-self/net/\(table)", "re") else { return false }
                defer { fclose(file) }
                var line = [CChar](repeating: 0, count: 512)
                while fgets(&line, Int32(line.count), file) != nil {
                    // sl, local address:port, remote address:port, state (0A = LISTEN), …
                    let text = String(
                        decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                    let fields = text.split(separator: " ")
                    if fields.count > 3, fields[1].hasSuffix(local), fields[3] == "0A" { return true }
                }
                return false
            }
        }
    }

    /// Whether the namespace has an interface of this name.
    func hasInterface(_ name: String) -> Bool { inside { if_nametoindex(name) != 0 } }

    /// The descriptor that holds the namespace. Throws `closed`.
    func descriptor() throws(LabError) -> Int32 {
        let fd = state.withLock { $0.fd }
        if fd < 0 { throw .closed }
        return fd
    }

    /// Registers a child, to be killed when the lab closes.
    func adopt(_ child: Child) {
        state.withLock { state in
            state.children.removeAll { $0.child == nil }
            state.children.append(Weak(child: child))
        }
    }

    /// Kills the children running inside and releases the namespace.
    func close() {
        let children = state.withLock { state in
            defer { state.children = [] }
            return state.children.compactMap(\.child)
        }
        for child in children { child.kill() }
        state.withLock { state in
            if state.fd >= 0 { Glibc.close(state.fd) }
            state.fd = -1
        }
    }
}
