/// The state of a socket's offload. The raw value is the word of `bondd status`.
public enum SocketOffload: String, Sendable {
    /// In use.
    case on
    /// Turned off by configuration.
    case off
    /// Not supported by this kernel.
    case missing
    /// Supported, but the kernel refused to use it for data sent here: it is not tried again on this socket.
    case refused
}
