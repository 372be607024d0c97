import Lab
import LinkModel
import Packet

/// A link between a client's path and the server.
final class VirtualLink {
    let client: Int
    var path: UInt16
    var up: LinkModel
    var down: LinkModel
    /// The client's endpoint as seen by the server.
    var clientEndpoint: Endpoint

    init(client: Int, path: UInt16, spec: LinkSpec, endpoint: Endpoint, seed: UInt64) {
        self.client = client
        self.path = path
        up = LinkModel(shape: spec.up, seed: seed)
        down = LinkModel(shape: spec.down, seed: seed &+ 1)
        clientEndpoint = endpoint
    }

    /// Whether everything sent vanishes.
    var isDown: Bool {
        get { up.shape.isDown }
        set {
            up.shape.isDown = newValue
            down.shape.isDown = newValue
        }
    }

    /// Loses nothing and keeps the order from here on.
    func heal() {
        isDown = false
        for shape in [\VirtualLink.up.shape, \.down.shape] {
            self[keyPath: shape].loss = 0
            self[keyPath: shape].reorders = false
            self[keyPath: shape].jitter = 0
            self[keyPath: shape].duplication = 0
        }
    }
}
