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
    /// When the endpoint in use was chosen.
    var chosenAt = Instant.zero
    /// What goes over its sockets.
    let meter = Meter()
    /// Bytes used this month.
    var used: UInt64 = 0
    /// What is left of its monthly data.
    var dataState = DataState.free
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
    func follow(_ netlink: borrowing Netlink, offload: Bool, log: Log) -> Bool {
        let before = (interfaceIndex, local, endpoint?.address.family)
        let facts = try? netlink.interface(named: configuration.interface)
        if let facts, facts.mtu != mtu {
            mtu = facts.mtu
            isKnownToEngine = false
        }
        let family = endpoint?.address.family ?? .v4
        let address = facts.flatMap { usableAddress($0, family, netlink) }
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
                    boundTo: facts.name, family: family, wantsOffloads: offload)
                socket = UDPSocket(bound, number: id, meter: meter)
                interfaceIndex = facts.index
            } catch {
                log(.warning, error.description, ["path": configuration.name])
                socket = nil
                interfaceIndex = 0
            }
        }
        return before != (interfaceIndex, local, endpoint?.address.family)
    }

    /// An address of the interface from which the endpoint can be reached.
    private func usableAddress(
        _ facts: NetworkInterface, _ family: IPAddress.Family, _ netlink: borrowing Netlink
    ) -> IPAddress? {
        let all = (try? netlink.addresses(ofInterface: facts.index)) ?? []
        let wantsLinkLocal = endpoint?.address.isLinkLocal ?? false
        return all.first { $0.address.family == family && $0.address.isLinkLocal == wantsLinkLocal }?.address
    }
}
