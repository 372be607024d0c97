/// How an offload of a socket stands. The raw value is the word of `bondd status`.
public enum SocketOffload: String, Sendable {
    /// In use.
    case on
    /// Not wanted.
    case off
    /// This kernel does not have it.
    case missing
    /// The kernel has it, but refused to do it for what was sent here: it is not tried again on this socket.
    case refused
}
