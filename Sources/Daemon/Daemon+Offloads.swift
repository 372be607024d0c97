import ControlProtocol
import Proto
import Tun

// What the kernel and the libraries do for the daemon.
extension Daemon {
    var offloads: OffloadStatus {
        let found = plane.queue.offloads
        var status = OffloadStatus()
        for (offload, word) in TunOffloads.words {
            status.tun[word] =
                !configuration.tunnel.offload ? "off" : found.contains(offload) ? "on" : "missing"
        }
        for case let socket? in plane.sockets {
            status.udp.append(
                .init(
                    name: name(ofSocket: socket.number), segmentation: socket.socket.segmentation.rawValue,
                    joining: socket.socket.joining.rawValue))
        }
        return status
    }

    /// The path's name, or where the server listens.
    private func name(ofSocket number: UInt16) -> String {
        if case .server(let server) = configuration.role { return server.listen[Int(number)].description }
        return paths.first { $0.socketNumbers.contains(number) }?.configuration.name ?? "\(number)"
    }

    /// What seals the packets.
    var cipher: BulkCipher? { BulkCipher.of(configuration.tunnel.cipher.suite) }
}
