import Glibc

/// The result of `DatagramSocket.send`.
public struct SendResult: Equatable, Sendable {
    /// The number of datagrams accepted by the kernel.
    public internal(set) var sent = 0
    /// The number refused permanently, which are dropped.
    public internal(set) var failed = 0
    /// The next entry of the outbox: the range's end, or the entry at which the kernel's buffers were full.
    public internal(set) var next: Int
    /// The errno of the first refusal, EAGAIN or ENOBUFS if sending stopped, or 0.
    public internal(set) var error: Int32 = 0
    /// The entry that `error` refers to; undefined if there is no error.
    public internal(set) var failedEntry = 0

    init(next: Int) { self.next = next }

    /// The meaning of `error` for a path; nil if there is no error.
    public var problem: SendProblem? { error == 0 ? nil : SendProblem(errno: error) }

    mutating func note(_ code: Int32, entry: Int) {
        if error == 0 {
            error = code
            failedEntry = entry
        }
    }
}

/// The meaning of a sending error for the path.
public enum SendProblem: Equatable, Sendable {
    /// The socket's buffer is full: wait until it is writable. (EAGAIN)
    case wouldBlock
    /// The interface's queue is full: wait briefly, as epoll does not report when it has room. (ENOBUFS)
    case noBuffers
    /// The datagram is larger than the interface's MTU. (EMSGSIZE)
    case tooBig
    /// No route to the peer, or the local address is gone: the path is down. (ENETUNREACH, EHOSTUNREACH,
    /// ENETDOWN, EADDRNOTAVAIL, EINVAL)
    case unreachable
    /// The interface was deleted: the socket is unusable from now on. (ENODEV, ENXIO)
    case interfaceGone
    /// A packet filter refused it. (EPERM, EACCES)
    case notPermitted
    /// Any other errno.
    case other

    /// The meaning of `code`.
    public init(errno code: Int32) {
        switch code {
        case EAGAIN: self = .wouldBlock
        case ENOBUFS, ENOMEM: self = .noBuffers
        case EMSGSIZE: self = .tooBig
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EINVAL: self = .unreachable
        case ENODEV, ENXIO: self = .interfaceGone
        case EPERM, EACCES: self = .notPermitted
        default: self = .other
        }
    }
}
