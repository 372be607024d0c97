import ControlProtocol
import Engine

extension PathStatus {
    /// The smallest MTU that IPv6 allows a link, in bytes (RFC 8200 section 5).
    private static var smallestMTU: Int { 1280 }

    /// Adds to the note how the networks along the path interfere with packets.
    mutating func noteNetwork(_ report: PathReport) {
        guard report.state == .up else { return }
        var sentences: [String] = []
        if report.mtu < Self.smallestMTU {
            sentences.append(
                "it carries only packets of up to \(report.mtu) bytes, and larger ones need another path; check the MTU of its modem and of its interface"
            )
        }
        if report.ignoresMarks {
            sentences.append("a network rewrites congestion marks (ECN); they are ignored")
        }
        if report.leavesUnmarked {
            sentences.append("a network drops datagrams with ECN; they leave without it")
        }
        guard !sentences.isEmpty else { return }
        note = ([note].compactMap(\.self) + sentences).joined(separator: "; ")
    }
}
