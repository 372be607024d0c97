import GRPCCore
import Glibc
import NIOCore

extension String {
    /// What another host says, fit for a line of a log: its beginning.
    var prefixed: String { String(prefix(200)) }
}

extension RPCError {
    /// What went wrong, with the innermost reason that is known.
    var words: String {
        var reason: any Error = self
        while let error = reason as? RPCError, let cause = error.cause { reason = cause }
        return switch reason {
        case let error as RPCError: error.message.isEmpty ? "\(error.code)" : error.message.prefixed
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(reason)".prefixed
        }
    }
}
