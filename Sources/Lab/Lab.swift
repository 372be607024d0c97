import Synchronization

/// Network namespaces and the links between them, all in this process: when it ends, in whatever way, nothing stays.
///
/// ```swift
/// let lab = try Lab(seed: 1)
/// let client = try lab.namespace("client"), server = try lab.namespace("server")
/// let fibre = try lab.link(LinkSpec("fibre=100/10"), from: client, to: server)
/// let plan = TCPFlow.Plan(to: fibre.addresses.ipv4(.server), seconds: 3)
/// let megabits = try TCPFlow.run(from: client, to: server, plan).megabits
/// fibre.isDown = true
/// lab.close()
/// ```
public final class Lab: Sendable {
    private struct State {
        var namespaces: [Namespace] = []
        var links: [EmulatedLink] = []
        var nextIndex = 0
    }

    /// The seed of all random choices of all links.
    public let seed: UInt64
    private let emulator: Emulator
    private let state = Mutex(State())

    /// A lab without namespaces and links.
    ///
    /// - Parameters:
    ///   - seed: the seed of all random choices.
    ///   - memory: bytes for frames in flight; more of them are dropped as by a full queue. A link of 1 Gbit/s and
    ///     400 ms fills 64 MiB, the default.
    /// Throws `system`.
    public init(seed: UInt64, memory: Int = 64 << 20) throws(LabError) {
        self.seed = seed
        emulator = try Emulator(memory: memory)
    }

    deinit { close() }

    /// The namespace of this name, created if it does not exist yet. Throws `system`.
    public func namespace(_ name: String) throws(LabError) -> Namespace {
        try state.withLock { (state: inout State) throws(LabError) in
            if let known = state.namespaces.first(where: { $0.name == name }) { return known }
            let namespace = try Namespace(name: name)
            state.namespaces.append(namespace)
            return namespace
        }
    }

    /// Creates an emulated link. Its interface at the server's end has the same name, or, if that is taken
    /// there (two clients, each with its "lte"), the name and the link's number. Throws `badInterfaceName`,
    /// `tooManyLinks` or `system`.
    public func link(_ spec: LinkSpec, from: Namespace, to: Namespace) throws(LabError) -> EmulatedLink {
        try state.withLock { (state: inout State) throws(LabError) in
            let addresses = try LinkAddresses(index: state.nextIndex)
            let far = try Self.interfaces(spec.name, addresses, from, to)
            state.nextIndex += 1
            let link = try EmulatedLink(
                spec, addresses: addresses, from: from, to: to, serverInterface: far, emulator: emulator,
                seed: seed)
            state.links.append(link)
            return link
        }
    }

    /// Creates a veth pair, addressed and named like a link. Throws like `link`, or `failed`.
    public func veth(
        _ name: String, from: Namespace, to: Namespace, mtu: Int = 1500
    ) throws(LabError) -> VethPair {
        try state.withLock { (state: inout State) throws(LabError) in
            let addresses = try LinkAddresses(index: state.nextIndex)
            let far = try Self.interfaces(name, addresses, from, to)
            state.nextIndex += 1
            return try VethPair(
                name: name, serverInterface: far, addresses: addresses, mtu: mtu, from: from, to: to)
        }
    }

    /// All emulated links, in order of creation.
    public var links: [EmulatedLink] { state.withLock { $0.links } }

    /// CPU seconds used by the emulator so far.
    public var emulatorCPUSeconds: Double { emulator.cpuSeconds }

    /// Kills all processes that the lab started in the namespaces, removes the links and releases the namespaces.
    /// Links and namespaces are unusable afterwards. May be called again.
    public func close() {
        let namespaces = state.withLock { state in
            defer { state = State(nextIndex: state.nextIndex) }
            return state.namespaces
        }
        for namespace in namespaces { namespace.close() }
        emulator.stop()
    }

    /// Checks the names of a link's interfaces and chooses the server's.
    private static func interfaces(
        _ name: String, _ addresses: LinkAddresses, _ from: Namespace, _ to: Namespace
    ) throws(LabError) -> String {
        _ = (try from.descriptor(), try to.descriptor())
        guard LinkSpec.isInterfaceName(name), !from.hasInterface(name) else {
            throw .badInterfaceName(name, namespace: from.name)
        }
        if from !== to, !to.hasInterface(name) { return name }
        let numbered = "\(name)\(addresses.index)"
        guard LinkSpec.isInterfaceName(numbered), !to.hasInterface(numbered) else {
            throw .badInterfaceName(numbered, namespace: to.name)
        }
        return numbered
    }
}
