/// A DNS query (RFC 1035 section 4.1) whose answer shows whether a name server serves this host.
struct ServingQuestion: Sendable {
    /// The quality of an answer, ascending.
    enum Answer: Int, Comparable, Sendable {
        /// No answer.
        case silence
        /// A server responds but does not or cannot serve this host: REFUSED, SERVFAIL and the like.
        case refusal
        /// NOERROR or NXDOMAIN.
        case good

        static func < (one: Answer, other: Answer) -> Bool { one.rawValue < other.rawValue }
    }

    /// The query on the wire.
    let bytes: [UInt8]

    /// The length of a message header in bytes.
    private static let headerSize = 12

    /// Asks for the IPv4 address of example.com, which always exists (RFC 2606) and is in every resolver's cache.
    init(id: UInt16) {
        let labels = ["example", "com"].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        // One question, recursion desired; type A, class IN.
        bytes =
            [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, 1, 0, 1]
    }

    /// Rates a datagram as an answer to this query; nil if it answers another query or is malformed.
    func judge(_ datagram: ArraySlice<UInt8>) -> Answer? {
        let datagram = Array(datagram)
        guard datagram.count >= Self.headerSize, datagram[..<2] == bytes[..<2], datagram[2] & 0x80 != 0
        else { return nil }
        let code = datagram[3] & 0x0F
        // A server that refuses may omit the question.
        if datagram[5] == 1 {
            let question = datagram[Self.headerSize...].prefix(bytes.count - Self.headerSize)
            guard question.elementsEqual(bytes[Self.headerSize...], by: Self.isSame) else { return nil }
        } else if code == 0 {
            return nil
        }
        return code == 0 || code == 3 ? .good : .refusal
    }

    /// Names are compared without regard to case (RFC 4343).
    private static func isSame(_ one: UInt8, _ other: UInt8) -> Bool {
        func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
        return lower(one) == lower(other)
    }
}
