/// An entry point for external input. Its raw value names its corpus in `Fuzz/Corpora`.
public enum FuzzInput: String, CaseIterable, Sendable {
    /// Datagrams from the network without a session's keys: to a server, and to a client in its handshake.
    case datagrams
    /// A client's control frames, data and repairs inside its session with a server.
    case server
    /// A server's frames and data inside its session with a client.
    case client
    /// Handshakes whose contents are chosen by the input and sealed with the right keys, on both ends.
    case handshakes
    /// Frames and data inside a session that fit its state, except for the fields that the input changes.
    case session
    /// Frames of a control payload.
    case frames
    /// Packets from the TUN device with their offload headers, segmented, and joined again as at the far end.
    case tunnel
    /// The first bytes of a connection: a TLS client's hello, split into reads.
    case hello
    /// A join link.
    case link
    /// A configuration.
    case configuration
    /// JSON lines on the control sockets of bondd and bondd-control, requests and answers.
    case requests
    /// Addresses, networks, endpoints, keys and name patterns, as text.
    case text

    /// The number of inputs after which a driver has to call `makeBody` again, so that a crash depends on few earlier inputs.
    public var lifetime: Int {
        switch self {
        case .server, .client, .handshakes, .session: 64
        case .datagrams: 1 << 12
        default: .max
        }
    }

    /// A function that handles inputs one after the other, and must neither trap nor hang. It may be reused: see
    /// `lifetime`.
    public func makeBody() -> (UnsafeRawBufferPointer) -> Void {
        switch self {
        case .datagrams:
            let world = FuzzWorld(seed: 1)
            return { world.receive($0) }
        case .server:
            return Self.inSession(2) { $0.say($1, toServer: true) }
        case .client:
            return Self.inSession(3) { $0.say($1, toServer: false) }
        case .handshakes:
            let world = FuzzWorld(seed: 4, enrols: true)
            world.connect()
            return { world.shakeHands($0) }
        case .session:
            return Self.inSession(5) { $0.tell($1) }
        case .frames: return readFrames
        case .tunnel:
            let memory = TunnelMemory()
            return { memory.pass($0) }
        case .hello: return readHello
        case .link: return readLink
        case .configuration: return readConfiguration
        case .requests: return readRequests
        case .text: return readTexts
        }
    }

    /// A function that handles inputs inside sessions, which are set up again when an input has ended one.
    private static func inSession(
        _ seed: UInt8, _ handle: @escaping (FuzzWorld, UnsafeRawBufferPointer) -> Void
    ) -> (UnsafeRawBufferPointer) -> Void {
        var world = FuzzWorld(seed: seed)
        world.connect()
        return { bytes in
            handle(world, bytes)
            if world.isConnected { return }
            world = FuzzWorld(seed: seed)
            world.connect()
        }
    }
}
