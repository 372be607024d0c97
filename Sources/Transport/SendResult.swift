import Glibc

/// What became of the datagrams of one `DatagramSocket.send`.
public struct SendResult: Equatable, Sendable {
    /// How many the kernel took.
    public internal(set) var sent = 0
    /// How many it refused for good: they are dropped.
    public internal(set) var failed = 0
    /// The outbox's entry that comes next: the range's end, or where the kernel had no room any more.
    public internal(set) var next: Int
    /// The errno of the first refusal, EAGAIN or ENOBUFS when sending stopped, or 0.
    public internal(set) var error: Int32 = 0
    /// The entry that `error` speaks of; meaningless when there is none.
    public internal(set) var failedEntry = 0

    init(next: Int) { self.next = next }

    /// `error` in the terms of a path; nil when all went well.
    public var problem: SendProblem? { error == 0 ? nil : SendProblem(errno: error) }

    mutating func note(_ code: Int32, entry: Int) {
        if error == 0 {
            error = code
            failedEntry = entry
        }
    }
}

/// What an errno of sending means to the path.
public enum SendProblem: Equatable, Sendable {
    /// The socket's buffer is full: wait until it is writable. (EAGAIN)
    case wouldBlock
    /// The interface's queue is full: wait a little, as epoll does not tell when it has room. (ENOBUFS)
    case noBuffers
    /// The datagram is larger than the interface's MTU. (EMSGSIZE)
    case tooBig
    /// No way there, or the local address is gone: the path is down.
    /// (ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL, EINVAL)
    case unreachable
    /// The interface was deleted: the socket is of no more use. (ENODEV, ENXIO)
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
