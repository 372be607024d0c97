/// The way a datagram goes or came: which socket, from which local address, to or from which remote endpoint.
public struct Link: Hashable, Sendable {
    /// The socket's index in the daemon's table.
    public var socket: UInt16
    /// The local address that the datagram was sent to, so that the answer leaves from it; nil: the kernel chooses.
    public var local: IPAddress?
    /// The peer's endpoint.
    public var remote: Endpoint

    /// A way through `socket` to `remote`.
    @inlinable public init(socket: UInt16, local: IPAddress? = nil, remote: Endpoint) {
        self.socket = socket
        self.local = local
        self.remote = remote
    }
}
