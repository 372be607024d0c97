import ControlProtocol
import Proto
import Tun

// Offloads of the kernel and the libraries that the daemon uses.
extension Daemon {
    /// - Parameter reports: of the data threads that have answered; each has the same kinds of sockets.
    func offloads(_ reports: [ShardReport]) -> OffloadStatus {
        let found = shared.offloads
        var status = OffloadStatus()
        for (offload, word) in TunOffloads.words {
            status.tun[word] =
                !shared.configuration.tunnel.offload ? "off" : found.contains(offload) ? "on" : "missing"
        }
        for socket in reports.first?.sockets ?? [] {
            status.udp.append(
                .init(
                    name: name(ofSocket: socket.number), segmentation: socket.segmentation.rawValue,
                    joining: socket.joining.rawValue))
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
