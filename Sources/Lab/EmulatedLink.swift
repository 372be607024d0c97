import CLinux
import Glibc
import LinkModel

/// A pair of TAP devices in two namespaces, connected by an emulated link with loss, delay and a rate limit.
/// Everything may change while traffic flows, from any thread; changes apply to frames sent from then on.
public final class EmulatedLink: Sendable {
    /// The link's name in its lab.
    public let name: String
    /// The fixed addresses of both ends.
    public let addresses: LinkAddresses
    /// The namespaces of client and server, in this order.
    private let namespaces: [Namespace]
    private let interfaces: [String]
    private let emulator: Emulator
    private let lane: Int
    private let mtu: Int

    init(
        _ spec: LinkSpec, addresses: LinkAddresses, from: Namespace, to: Namespace, serverInterface: String,
        emulator: Emulator, seed: UInt64
    ) throws(LabError) {
        name = spec.name
        mtu = spec.mtu
        self.addresses = addresses
        namespaces = [from, to]
        interfaces = [spec.name, serverInterface]
        self.emulator = emulator
        // Each direction has its own random numbers, so that traffic one way never changes the fate of the
        // other way's.
        var seeds = SeededGenerator(seed: seed &+ UInt64(addresses.index))
        lane = emulator.addPair(
            up: LinkModel(shape: spec.up, seed: seeds.next()),
            down: LinkModel(shape: spec.down, seed: seeds.next()))
        try plug(.client)
        try plug(.server)
    }

    /// The name of the interface at an end.
    public func interface(_ end: LinkEnd) -> String { interfaces[end.rawValue] }
    /// The namespace at an end.
    public func namespace(_ end: LinkEnd) -> Namespace { namespaces[end.rawValue] }

    /// The properties of the link in one direction.
    public func shape(_ direction: LinkDirection) -> LinkShape {
        emulator.shape(lane: lane + direction.rawValue)
    }

    /// Changes the properties of the link in one direction, or in both.
    public func change(_ direction: LinkDirection? = nil, _ body: (inout LinkShape) -> Void) {
        for each in LinkDirection.allCases where direction == nil || each == direction {
            emulator.change(lane: lane + each.rawValue, body)
        }
    }

    /// Changes the properties of the link with options of `LinkSpec`: `loss=5%,up.rate=10`. Throws `badSpec`.
    public func apply(_ options: String) throws(LabError) {
        var spec = LinkSpec(name: name, shape(.up))
        spec.down = shape(.down)
        spec.mtu = mtu
        try spec.apply(options)
        if spec.mtu != mtu {
            throw .badSpec(text: options, reason: "the MTU of a running link is set with ip, at both ends")
        }
        change(.up) { $0 = spec.up }
        change(.down) { $0 = spec.down }
    }

    /// Whether the link is a black hole in both directions: frames vanish, including those in flight; the
    /// carrier stays.
    public var isDown: Bool {
        get { shape(.up).isDown && shape(.down).isDown }
        set { change { $0.isDown = newValue } }
    }

    /// Sets or clears the carrier of the interface at an end. Without it, the kernel sends nothing and routes
    /// through the interface are dead; the other end's carrier stays, as with a modem whose cable is pulled.
    /// Throws `system`.
    public func setCarrier(_ on: Bool, at end: LinkEnd = .client) throws(LabError) {
        try emulator.setCarrier(on, lane: lane + end.rawValue)
    }

    /// Removes the interface at an end with its addresses and routes.
    public func unplug(_ end: LinkEnd) { emulator.unplug(lane: lane + end.rawValue) }

    /// Creates the interface at an end, with its addresses; routes through it are the caller's. An existing one is
    /// recreated.
    public func plug(_ end: LinkEnd) throws(LabError) {
        unplug(end)
        let namespace = namespace(end)
        _ = try namespace.descriptor()  // throws if closed, where `inside` would trap
        let tap = namespace.inside { lab_tap_open(interface(end)) }
        guard tap >= 0 else {
            throw .system(call: "opening TAP '\(interface(end))' through /dev/net/tun", errno: -tap)
        }
        try emulator.plug(tap, lane: lane + end.rawValue)
        try namespace.ip(
            addresses.setUp(interface(end), at: end, mtu: mtu, withIPv6: namespace.hasIPv6))
    }

    /// The counters of the frames in one direction.
    public func counters(_ direction: LinkDirection) -> LinkCounters {
        emulator.counters(lane: lane + direction.rawValue)
    }
}
