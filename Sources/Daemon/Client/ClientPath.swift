import Host
import Packet
import Proto
import Runtime
import Scheduler
import Settings
import Transport

/// One uplink of a client: its configuration, its socket, and which of the server's endpoints it uses.
final class ClientPath {
    /// The path's ID on the wire.
    let id: UInt16
    var configuration: Configuration.Path
    /// The server's endpoints, resolved, preferred first.
    var endpoints: [Endpoint] = []
    /// The endpoints that the interface can send to, or their addresses behind its network's translator; the
    /// first that answers is used.
    private(set) var usable: [Endpoint] = []
    /// The endpoint in use, or the one that is tried first.
    private(set) var endpoint: Endpoint?
    /// One for each usable family.
    private var sockets: [UDPSocket] = []
    private var wantsNewPorts = false
    /// Twice this number, and the next, are the numbers of its sockets. Unique among the paths.
    let place: UInt16
    /// The interface that the sockets are bound to; 0 without one.
    private(set) var interfaceIndex: UInt32 = 0
    /// The interface's MTU in bytes.
    private(set) var mtu = 1500
    /// The address that datagrams to the endpoint in use leave from.
    private(set) var local: IPAddress?
    /// The addresses of its interface that packets may leave from.
    private(set) var addresses: [IPAddress] = []
    /// The prefixes by which its network translates to IPv4.
    var translators = PathTranslators()
    /// The name servers that are asked over it while it does not work.
    var nameServers: [IPAddress] = []
    /// The duration of its silence, and when that calls for another port.
    var silence = SilencePace()
    /// Finds whether other protocols pass while it is silent.
    var probe: ReachProbe?
    /// The slot of its routing table; nil if all are taken.
    var slot: UInt32?
    /// When its interface ceased to be an uplink, on a client that discovers them; nil if it is one, or the
    /// file names it.
    var absentSince: Instant?
    /// Counts the bytes over its sockets.
    let meter = Meter()
    /// Bytes used this month.
    var used: UInt64 = 0
    /// How much of its monthly data is left.
    var dataState = DataState.free
    /// Why the path can't be used, or not fully: one sentence with the remedy for each concern. `status`
    /// shows them as its note.
    var concerns: [PathConcern: String] = [:]
    /// Whether the Engine knows of the latest change.
    var isKnownToEngine = false

    init(id: UInt16, place: UInt16, configuration: Configuration.Path) {
        self.id = id
        self.place = place
        self.configuration = configuration
    }

    /// The numbers that its sockets may have.
    var socketNumbers: ClosedRange<UInt16> { place * 2...place * 2 + 1 }

    /// Its socket of that number, while it has one.
    func socket(_ number: UInt16) -> UDPSocket? { sockets.first { $0.number == number } }

    /// The links to the server's endpoints, the one in use first; empty while the path can't be used.
    var links: [Link] {
        usable.compactMap { endpoint in
            sockets.first { $0.socket.family == endpoint.address.family }.map {
                Link(socket: $0.number, remote: endpoint)
            }
        }
    }

    /// The link in use, or the one that is tried first.
    var link: Link? { links.first { $0.remote == endpoint } }

    /// Its role while its data lasts. A path that has used it up keeps its socket, because datagrams that
    /// still arrive there count.
    var role: PathRole {
        dataState == .spent ? .never : configuration.role
    }

    /// Follows the state of the interface: opens sockets while it can be used, and closes them otherwise.
    /// - Parameter inUse: the endpoint that the Engine uses.
    /// - Returns: whether the interface, the local address, or the endpoint in use has changed.
    func follow(
        _ netlink: borrowing Netlink, routes: [NetworkRoute], inUse: Endpoint?, offload: Bool, log: Log
    ) -> Bool {
        let before = (interfaceIndex, local, endpoint)
        let facts =
            absentSince == nil ? (try? netlink.interface(named: configuration.interface)) ?? nil : nil
        if let facts, facts.mtu != mtu {
            mtu = facts.mtu
            isKnownToEngine = false
        }
        addresses =
            facts.flatMap { try? netlink.addresses(ofInterface: $0.index, usable: true) }?.map(\.address)
            ?? []
        noteInterface(facts)
        guard let facts, facts.isUp, facts.hasCarrier, configuration.role != .never else {
            drop()
            return before.0 != 0
        }
        let choice = PathEndpoints(
            wanted: endpoints, interface: facts.name, addresses: addresses,
            routes: routes.filter { $0.interface == facts.index }, gateways: configuration.gateways,
            translators: translators.prefixes)
        concerns[.routing] = choice.problem
        guard !choice.usable.isEmpty else {
            drop()
            return before.0 != 0
        }
        usable = choice.usable
        endpoint = inUse.flatMap { usable.contains($0) ? $0 : nil } ?? usable[0]
        if interfaceIndex != facts.index || wantsNewPorts { sockets = [] }
        (interfaceIndex, wantsNewPorts) = (facts.index, false)
        openSockets(facts.name, offload: offload, log: log)
        local = endpoint.flatMap { PathEndpoints.source(for: $0, among: addresses) }
        return before != (interfaceIndex, local, endpoint)
    }

    /// Closes the sockets.
    func drop() {
        (sockets, usable, endpoint, local, interfaceIndex) = ([], [], nil, nil, 0)
    }

    /// The address that datagrams to an endpoint leave from; nil while the path can't be used.
    func local(towards endpoint: Endpoint?) -> IPAddress? {
        guard local != nil, let endpoint else { return local }
        return PathEndpoints.source(for: endpoint, among: addresses)
    }

    /// Has `follow` make new sockets, with other ports.
    func renewSockets() { wantsNewPorts = true }

    /// All addresses that it sends datagrams to, and so receives answers from.
    var destinations: [IPAddress] {
        ((endpoints + usable).map(\.address) + nameServers)
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Why it can't be used, or not fully; nil if it can.
    var note: String? {
        var shown = concerns
        // The graver concern of two about the same part explains the other.
        if shown[.hardware] != nil { shown[.interface] = nil }
        if shown[.routing] != nil { shown[.router] = nil }
        return shown.isEmpty
            ? nil : shown.sorted { $0.key < $1.key }.map(\.value).joined(separator: "; ")
    }

    /// Keeps a socket for each family that is usable.
    private func openSockets(_ interface: String, offload: Bool, log: Log) {
        let families: [IPAddress.Family] = [.v4, .v6].filter { family in
            usable.contains { $0.address.family == family }
        }
        sockets.removeAll { !families.contains($0.socket.family) }
        for family in families where !sockets.contains(where: { $0.socket.family == family }) {
            do throws(TransportError) {
                let bound = try DatagramSocket(
                    boundTo: interface, family: family, wantsOffloads: offload,
                    mark: TunnelMark.value(slot: slot))
                let number = family == .v4 ? socketNumbers.lowerBound : socketNumbers.upperBound
                sockets.append(UDPSocket(bound, number: number, meter: meter))
            } catch {
                log(.warning, error.description, ["path": configuration.name])
            }
        }
        if sockets.isEmpty { interfaceIndex = 0 }
    }

    // MARK: - Notes

    private func noteInterface(_ facts: NetworkInterface?) {
        let name = configuration.interface
        concerns[.interface] =
            if facts == nil {
                "there is no interface \(name); check the name, or plug it in"
            } else if facts?.isUp == false {
                "\(name) is down; run: ip link set \(name) up"
            } else if facts?.hasCarrier == false {
                "\(name) has no carrier; check its cable, SIM or Wi-Fi"
            } else {
                nil
            }
        if concerns[.interface] != nil { concerns[.routing] = nil }
    }
}
