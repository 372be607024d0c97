import Packet

/// A query for a name's addresses of one family, as a DNS datagram (RFC 1035 section 4), and the parser of its
/// answer.
package struct NameQuestion: Sendable {
    /// The record type to query.
    package enum Kind: UInt16, Sendable, CaseIterable {
        /// A
        case ipv4 = 1
        /// AAAA (RFC 3596)
        case ipv6 = 28
    }

    /// A server's answer.
    package enum Answer: Equatable, Sendable {
        /// The name's addresses; empty if the name does not exist or has none of that family.
        case addresses([IPAddress])
        /// The server cannot or will not answer: its response code (RFC 1035 section 4.1.1), or 0 for a
        /// malformed answer.
        case failure(code: UInt8)
    }

    /// Maximum number of addresses used and of records examined: an answer is a single datagram.
    private static let limits = (addresses: 16, records: 64)

    /// The record type queried.
    package let kind: Kind
    /// The query on the wire.
    package let datagram: [UInt8]

    /// A query for `name`, of at most 253 bytes in labels of 1 to 63; nil if `name` is malformed.
    /// - Parameter id: must be unpredictable, so that only the queried server can answer.
    package init?(_ name: String, _ kind: Kind, id: UInt16) {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.count) }) else { return nil }
        // One question, recursion desired.
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in labels {
            bytes.append(UInt8(label.count))
            bytes += label
        }
        // The root, the type, the class IN.
        bytes += [0, 0, UInt8(kind.rawValue), 0, 1]
        (self.kind, datagram) = (kind, bytes)
    }

    /// Parses `bytes`; nil if they answer another question.
    package func answer(in bytes: UnsafeRawBufferPointer) -> Answer? {
        guard bytes.count >= datagram.count, bytes[0] == datagram[0], bytes[1] == datagram[1],
            bytes[2] & 0xF8 == 0x80, bytes[4] == 0, bytes[5] == 1, repeatsQuestion(bytes)
        else { return nil }
        let code = bytes[3] & 0x0F
        // NXDOMAIN is an answer as well.
        if code == 3 { return .addresses([]) }
        guard code == 0 else { return .failure(code: code) }
        let records = min(Int(bytes.bigEndian(at: 6, as: UInt16.self)), Self.limits.records)
        var addresses: [IPAddress] = []
        var place = datagram.count
        for _ in 0..<records {
            guard let end = Self.skipName(bytes, at: place), end + 10 <= bytes.count else { break }
            let type = bytes.bigEndian(at: end, as: UInt16.self)
            let length = Int(bytes.bigEndian(at: end + 8, as: UInt16.self))
            place = end + 10 + length
            guard place <= bytes.count else { break }
            let family: IPAddress.Family = kind == .ipv4 ? .v4 : .v6
            guard type == kind.rawValue, length == (kind == .ipv4 ? 4 : 16),
                addresses.count < Self.limits.addresses
            else { continue }
            addresses.append(IPAddress(family, bytes: bytes.dropping(end + 10)))
        }
        // Only an alias, truncated or without the records it leads to, does not count as an answer.
        return addresses.isEmpty && records > 0 && bytes[2] & 2 != 0
            ? .failure(code: 0) : .addresses(addresses)
    }

    /// Whether the answer repeats the name, type and class; some servers change the case of letters.
    private func repeatsQuestion(_ bytes: UnsafeRawBufferPointer) -> Bool {
        func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }
        return (12..<datagram.count).allSatisfy { lower(bytes[$0]) == lower(datagram[$0]) }
    }

    /// The offset behind the name at `place`: labels up to the root or to a pointer, which need not be
    /// followed. Terminates, as each step advances.
    private static func skipName(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
        var place = place
        while place < bytes.count {
            let length = Int(bytes[place])
            if length == 0 { return place + 1 }
            if length >= 0xC0 { return place + 2 }
            guard length < 64 else { return nil }
            place += 1 + length
        }
        return nil
    }
}
