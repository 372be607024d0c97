import CLab
import Glibc
import LinkModel

/// A pair of TAP devices in two namespaces, and between them a link that loses, delays and limits as it is told.
/// Everything may change while traffic flows, from any thread; changes count for frames sent from then on.
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
        // Each direction draws its own random numbers, so that traffic one way never changes fates the other way.
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

    /// What the link does in one direction.
    public func shape(_ direction: LinkDirection) -> LinkShape {
        emulator.shape(lane: lane + direction.rawValue)
    }

    /// Changes what the link does in one direction, or in both.
    public func change(_ direction: LinkDirection? = nil, _ body: (inout LinkShape) -> Void) {
        for each in LinkDirection.allCases where direction == nil || each == direction {
            emulator.change(lane: lane + each.rawValue, body)
        }
    }

    /// Changes what the link does in the words of `LinkSpec`: `loss=5%,up.rate=10`. Throws `badSpec`.
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

    /// Whether the link is a black hole in both directions: frames vanish, those in flight too; carrier stays.
    public var isDown: Bool {
        get { shape(.up).isDown && shape(.down).isDown }
        set { change { $0.isDown = newValue } }
    }

    /// Gives the interface at an end its carrier, or takes it. Without, the kernel sends nothing and routes through
    /// it are dead; the other end's carrier stays, as with a modem whose cable is pulled. Throws `system`.
    public func setCarrier(_ on: Bool, at end: LinkEnd = .client) throws(LabError) {
        try emulator.setCarrier(on, lane: lane + end.rawValue)
    }

    /// Takes the interface at an end away altogether, with its addresses and routes.
    public func unplug(_ end: LinkEnd) { emulator.unplug(lane: lane + end.rawValue) }

    /// Makes the interface at an end, with its addresses; routes through it are the caller's. One that is there
    /// already is made anew.
    public func plug(_ end: LinkEnd) throws(LabError) {
        unplug(end)
        let namespace = namespace(end)
        _ = try namespace.descriptor()  // throws when closed, where `inside` would trap
        let tap = namespace.inside { lab_tap_open(interface(end)) }
        guard tap >= 0 else {
            throw .system(call: "opening TAP '\(interface(end))' through /dev/net/tun", errno: -tap)
        }
        try emulator.plug(tap, lane: lane + end.rawValue)
        try namespace.ip(
            addresses.setUp(interface(end), at: end, mtu: mtu, withIPv6: namespace.hasIPv6))
    }

    /// What happened to the frames of one direction so far.
    public func counters(_ direction: LinkDirection) -> LinkCounters {
        emulator.counters(lane: lane + direction.rawValue)
    }
}
