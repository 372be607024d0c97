/// The route of a datagram: its socket, the local address, and the remote endpoint.
public struct Link: Hashable, Sendable {
    /// The index of the socket in the daemon's table.
    public var socket: UInt16
    /// The local address that the datagram was sent to, from which the answer must leave; nil means the kernel
    /// chooses.
    public var local: IPAddress?
    /// The peer's endpoint.
    public var remote: Endpoint

    /// A route through `socket` to `remote`.
    @inlinable public init(socket: UInt16, local: IPAddress? = nil, remote: Endpoint) {
        self.socket = socket
        self.local = local
        self.remote = remote
    }
}
