import Packet

/// Reads PROXY headers as proxy-protocol.txt prescribes for receivers.
enum ProxyHeaderReader {
    enum Reading: Equatable {
        case invalid
        /// The connection is the sender's own, or its origin is unknown; and the header's size.
        case local(size: Int)
        case ends(source: Endpoint, destination: Endpoint, size: Int)
    }

    static func read(_ bytes: [UInt8]) -> Reading {
        bytes.starts(with: [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]) ? binary(bytes) : line(bytes)
    }

    private static func line(_ bytes: [UInt8]) -> Reading {
        guard
            let end = bytes.prefix(107).indices.dropFirst().first(where: {
                bytes[$0 - 1] == 13 && bytes[$0] == 10
            })
        else { return .invalid }
        guard bytes.prefix(end).allSatisfy({ $0 < 128 }) else { return .invalid }
        let text = String(decoding: bytes.prefix(end - 1), as: UTF8.self)
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 2, words[0] == "PROXY" else { return .invalid }
        if words[1] == "UNKNOWN" { return .local(size: end + 1) }
        guard words.count == 6, let family = ["TCP4": IPAddress.Family.v4, "TCP6": .v6][words[1]],
            let source = IPAddress(words[2]), let destination = IPAddress(words[3]),
            source.family == family, destination.family == family,
            let from = UInt16(words[4]), String(from) == words[4], let to = UInt16(words[5]),
            String(to) == words[5]
        else { return .invalid }
        return .ends(
            source: Endpoint(address: source, port: from),
            destination: Endpoint(address: destination, port: to),
            size: end + 1)
    }

    private static func binary(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= 16 else { return .invalid }
        let size = Int(bytes[14]) * 256 + Int(bytes[15])
        guard bytes.count >= 16 + size else { return .invalid }
        let width = bytes[13] >> 4 == 1 ? 4 : 16
        switch (bytes[12], bytes[13]) {
        case (0x20, _): return .local(size: 16 + size)
        case (0x21, 0x11), (0x21, 0x21):
            guard size >= 2 * width + 4 else { return .invalid }
            func end(_ address: Int, _ port: Int) -> Endpoint {
                let octets = Array(bytes[address..<address + width])
                return Endpoint(
                    address: octets.withUnsafeBytes { IPAddress(width == 4 ? .v4 : .v6, bytes: $0) },
                    port: UInt16(bytes[port]) << 8 | UInt16(bytes[port + 1]))
            }
            return .ends(
                source: end(16, 16 + 2 * width), destination: end(16 + width, 18 + 2 * width), size: 16 + size
            )
        default: return .invalid
        }
    }
}
