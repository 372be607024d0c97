import GRPCCore
import Glibc
import NIOCore

extension String {
    /// Maximum length of a control plane's identifier in bytes; its own have 26 (ULID).
    private static let longestIdentifier = 128

    /// Text from another host made safe for a log line or a terminal: truncated, and with a question mark in
    /// place of each character that affects how text is displayed.
    var words: String {
        String(String.UnicodeScalarView(prefix(200).unicodeScalars.map { $0.isShown ? $0 : "?" }))
    }

    /// Whether it is a valid identifier of an owner, whose name is displayed.
    var isIdentifier: Bool {
        (1...Self.longestIdentifier).contains(utf8.count) && unicodeScalars.allSatisfy(\.isShown)
    }
}

extension Unicode.Scalar {
    /// Whether it is a visible character: not a control, format or private-use character, nor a surrogate.
    fileprivate var isShown: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            false
        default: true
        }
    }
}

extension RPCError {
    /// The problem, with the innermost known reason.
    var words: String {
        var reason: any Error = self
        while let error = reason as? RPCError, let cause = error.cause { reason = cause }
        return switch reason {
        case let error as RPCError: error.message.isEmpty ? "\(error.code)" : error.message.words
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(reason)".words
        }
    }
}

/// The state of the connection to the control plane.
package enum PlaneState: Equatable, Sendable {
    /// Connecting, with the reason for the last failure, if any.
    case connecting(String?)
    /// Connected.
    case connected
    /// The control plane no longer knows this server, and is not contacted again: its reason.
    case unauthorized(String)
    /// A server with another certificate than the pinned one answers; connecting is retried.
    case wrongCertificate
}
