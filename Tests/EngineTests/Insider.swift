import Lab
import Packet
import Proto

@testable import Engine

/// A malicious peer with valid keys: seals arbitrary payloads with the keys of an existing session.
final class Insider {
    private let world: World
    private let client: Int
    /// Whether it sends as the client to the server, or as the server to the client.
    private let isClient: Bool
    /// Above all numbers of the honest end, so that nothing is taken for a replay.
    private var numbers: [UInt16: UInt64] = [:]

    init(_ world: World, client: Int = 0, isClient: Bool = true) {
        self.world = world
        self.client = client
        self.isClient = isClient
    }

    /// Seals a datagram with the honest end's keys; nil if there is no session.
    func seal(
        _ kind: Kind, _ payload: [UInt8], path: UInt16 = 1, sequence: UInt64 = 0, flags: UInt8 = 0,
        number: UInt64? = nil
    ) -> [UInt8]? {
        let own = isClient ? world.clients[client].session() : world.server.session(client)
        guard let epoch = own?.pointee.keys.current else { return nil }
        let next = number ?? numbers[path, default: 1 << 30]
        if number == nil { numbers[path] = next + 1 }
        var datagram = [UInt8](repeating: 0, count: Wire.headerSize + payload.count + Wire.tagSize)
        datagram.withUnsafeMutableBytes { datagram in
            Header(
                kind: kind, flags: flags, sessionID: epoch.pointee.remoteID, sequence: sequence, pathID: path,
                packetNumber: next
            ).write(to: datagram)
            payload.withUnsafeBytes { payload in
                _ = epoch.pointee.keys.sending.seal(
                    payload, into: datagram.dropping(Wire.headerSize),
                    header: UnsafeRawBufferPointer(datagram.slice(0, Wire.headerSize)), pathID: path,
                    packetNumber: next)
            }
        }
        return datagram
    }

    /// Delivers a datagram to the victim.
    func send(
        _ kind: Kind, _ payload: [UInt8], path: UInt16 = 1, sequence: UInt64 = 0, flags: UInt8 = 0,
        number: UInt64? = nil
    ) {
        guard let bytes = seal(kind, payload, path: path, sequence: sequence, flags: flags, number: number)
        else { return }
        if isClient {
            let own = world.links.filter { $0.client == client }
            let link = own.first { $0.path == path } ?? own[0]
            world.inject(bytes, at: -1, from: world.serverSide(link))
        } else {
            world.inject(bytes, at: client, from: Link(socket: path, remote: World.serverEndpoint))
        }
    }

    /// The settings of every ASSIGN.
    private static let assignment = AssignFrame(
        mtu: 576, addresses: [InterfaceAddress(address: World.inner(3), prefix: 32)], dns: [World.inner(9)])

    /// Concatenates frames to a control payload.
    static func payload(_ frames: [Frame]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1900)
        let count = bytes.withUnsafeMutableBytes { bytes in
            var writer = FrameWriter(bytes)
            for frame in frames { _ = frame == .assign ? writer.append(assignment) : writer.append(frame) }
            return writer.count
        }
        return Array(bytes[..<count])
    }
}
