import ControlProtocol
import Proto
import Tun

// Offloads of the kernel and the libraries that the daemon uses.
extension Daemon {
    var offloads: OffloadStatus {
        let found = shared.plane.queue.offloads
        var status = OffloadStatus()
        for (offload, word) in TunOffloads.words {
            status.tun[word] =
                !shared.configuration.tunnel.offload ? "off" : found.contains(offload) ? "on" : "missing"
        }
        for case let socket? in shared.plane.sockets {
            status.udp.append(
                .init(
                    name: name(ofSocket: socket.number), segmentation: socket.socket.segmentation.rawValue,
                    joining: socket.socket.joining.rawValue))
        }
        return status
    }

    /// The name of a client's path, or a server's listening address.
    private func name(ofSocket number: UInt16) -> String {
        switch side {
        case .server(let server): server.settings.listen[Int(number)].description
        case .client(let client):
            client.paths.first { $0.socketNumbers.contains(number) }?.configuration.name ?? "\(number)"
        }
    }

    /// The cipher that seals packets, and its implementation.
    var cipher: BulkCipher? { BulkCipher.of(shared.configuration.tunnel.cipher) }
}
