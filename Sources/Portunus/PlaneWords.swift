import GRPCCore
import Glibc
import NIOCore

extension String {
    /// The longest identifier that a control plane may use, in bytes; its own have 26 (ULID).
    private static let longestIdentifier = 128

    /// What another host says, fit for a line of a log or a terminal: its beginning, and in place of characters that control how text
    /// is shown, a question mark.
    var words: String {
        String(String.UnicodeScalarView(prefix(200).unicodeScalars.map { $0.isShown ? $0 : "?" }))
    }

    /// Whether it names something: an owner, whose name is shown.
    var isIdentifier: Bool {
        (1...Self.longestIdentifier).contains(utf8.count) && unicodeScalars.allSatisfy(\.isShown)
    }
}

extension Unicode.Scalar {
    /// Whether it is a character that is seen where it is written: no control, format or private one, nor half a pair.
    fileprivate var isShown: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            false
        default: true
        }
    }
}

extension RPCError {
    /// What went wrong, with the innermost reason that is known.
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
