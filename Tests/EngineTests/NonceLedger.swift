import Packet
import Proto

/// Checks that no nonce is used twice: under one receiver's session ID, each path's packet numbers only increase.
struct NonceLedger {
    private struct Line: Hashable {
        let session: UInt32
        let path: UInt16
    }

    private var highest: [Line: UInt64] = [:]
    /// Datagrams whose packet number did not increase.
    private(set) var repeated = 0
    /// Datagrams checked.
    private(set) var count = 0

    mutating func note(_ header: Header) {
        guard header.kind == .data || header.kind == .control else { return }
        count += 1
        let line = Line(session: header.sessionID, path: header.pathID)
        if let known = highest[line], known >= header.packetNumber { repeated += 1 }
        highest[line] = header.packetNumber
    }
}
