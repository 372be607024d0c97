import Control
import Packet
import Scheduler
import Settings
import Transport

/// One uplink of a client: its configuration, its socket, and which of the server's endpoints it uses.
final class ClientPath {
    /// The path's ID on the wire and its socket's number.
    let id: UInt16
    var configuration: Configuration.Path
    /// Where the server may be reached, resolved.
    var endpoints: [Endpoint] = []
    var socket: UDPSocket?
    /// The interface that the socket is bound to; 0 without one.
    var interfaceIndex: UInt32 = 0
    /// The interface's MTU in bytes.
    var mtu = 1500
    var local: IPAddress?
    private var current = 0
    /// The addresses of its interface that packets may leave from.
    private(set) var addresses: [IPAddress] = []
    /// The slot of its routing table; nil when all are taken.
    var slot: UInt32?
    /// Since when its interface is no uplink, on a client that finds them; nil: it is one, or the file names it.
    var absentSince: Instant?
    /// When the endpoint in use was chosen.
    var chosenAt = Instant.zero
    /// What goes over its sockets.
    let meter = Meter()
    /// Bytes used this month.
    var used: UInt64 = 0
    /// What is left of its monthly data.
    var dataState = DataState.free
    /// Why the path can't be used, or not fully: one sentence a concern, with the remedy. `status` shows them as its note.
    var concerns: [PathConcern: String] = [:]
    /// Whether the Engine knows of the latest change.
    var isKnownToEngine = false

    init(id: UInt16, configuration: Configuration.Path) {
        self.id = id
        self.configuration = configuration
    }

    /// The endpoint in use.
    var endpoint: Endpoint? { endpoints.isEmpty ? nil : endpoints[current % endpoints.count] }

    /// Uses the next endpoint.
    func rotate(now: Instant) {
        current += 1
        chosenAt = now
    }

    /// The way to the server, while there is one.
    var link: Link? {
        guard let socket, let endpoint, socket.socket.family == endpoint.address.family else { return nil }
        return Link(socket: id, remote: endpoint)
    }

    /// What it is for, as far as its data lasts. One that has used it up keeps its socket, as what still arrives there counts.
    var role: PathRole {
        if dataState == .spent { return .never }
        return switch configuration.role {
        case .primary: .primary
        case .backup: .backup
        case .metered: .metered
        case .never: .never
        }
    }

    /// Follows the state of the interface: binds a socket when it can be used, drops it when it can't.
    /// - Returns: whether a socket was made or dropped, or the local address changed.
    func follow(
        _ netlink: borrowing Netlink, routes: [NetworkRoute], offload: Bool, log: Log
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
        chooseEndpoint(routes.filter { $0.interface == facts?.index })
        let family = endpoint?.address.family ?? .v4
        let address = endpoint.flatMap(source)
        guard let facts, facts.isUp, facts.hasCarrier, let address, configuration.role != .never else {
            socket = nil
            interfaceIndex = 0
            local = nil
            return before.0 != 0
        }
        local = address
        if socket == nil || interfaceIndex != facts.index || socket?.socket.family != family {
            do throws(TransportError) {
                let bound = try DatagramSocket(
                    boundTo: facts.name, family: family, wantsOffloads: offload,
                    mark: TunnelMark.value(slot: slot))
                socket = UDPSocket(bound, number: id, meter: meter)
                interfaceIndex = facts.index
            } catch {
                log(.warning, error.description, ["path": configuration.name])
                socket = nil
                interfaceIndex = 0
            }
        }
        return before != (interfaceIndex, local, endpoint)
    }

    /// Keeps to the endpoint in use as long as the interface has an address and a route for it; otherwise it takes the next
    /// that has both, or at least an address.
    private func chooseEndpoint(_ routes: [NetworkRoute]) {
        let order = endpoints.indices.map { (current + $0) % endpoints.count }
        let possible = order.filter { source(for: endpoints[$0]) != nil }
        let routed = possible.first { index in
            let address = endpoints[index].address
            return configuration.gateways.contains { $0.family == address.family }
                || routes.contains { $0.network.contains(address) }
        }
        guard let chosen = routed ?? possible.first else { return }
        current = chosen
    }

    /// An address of the interface from which an endpoint can be reached.
    private func source(for endpoint: Endpoint) -> IPAddress? {
        addresses.first {
            $0.family == endpoint.address.family && $0.isLinkLocal == endpoint.address.isLinkLocal
        }
    }
}
