import ControlProtocol
import Packet
import Proto
import Rules
import Settings

// Parsers of complete inputs.

/// Reads frames to the end.
func readFrames(_ bytes: UnsafeRawBufferPointer) {
    var reader = FrameReader(bytes)
    var count = 0
    while let frame = reader.next() {
        count += 1
        if case .repair = frame { _ = reader.tail.count }
        precondition(count <= bytes.count, "more frames than bytes")
    }
}

/// Reads a hello in pieces, whose size is given by the first byte; the result must not depend on it.
func readHello(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.first else { return }
    let hello = bytes.dropping(1)
    var whole = ClientHello()
    let expected = whole.read(hello)
    var pieces = ClientHello()
    var reading = ClientHello.Reading.needsMore
    var end = 0
    while end < hello.count, reading == .needsMore {
        end = min(end + Int(first) + 1, hello.count)
        reading = pieces.read(hello.slice(0, end))
        precondition(pieces.neededSize <= ClientHello.maximumSize)
    }
    precondition(hello.isEmpty || reading == expected, "a hello in pieces reads \(reading), not \(expected)")
}

/// Reads a join link; a valid one must survive a round trip.
func readLink(_ bytes: UnsafeRawBufferPointer) {
    check(String(decoding: bytes, as: UTF8.self))
    // The checksum keeps nearly all input from the parser behind it, so the correct one is tried, too.
    let whole = Array(bytes) + checksum(of: bytes)
    let characters = Base64.encode(whole).compactMap { character -> Character? in
        switch character {
        case "+": "-"
        case "/": "_"
        case "=": nil
        default: character
        }
    }
    check(JoinLink.scheme + String(characters))
}

private func check(_ text: String) {
    guard let link = try? JoinLink(text) else { return }
    precondition((try? JoinLink(link.text)) == link, "a join link is not read as it was written")
}

/// CRC-32 (IEEE 802.3).
private func checksum(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var crc = UInt32.max
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: ~crc >> UInt32($0)) }
}

/// Reads a configuration without opening its key files.
func readConfiguration(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes, as: UTF8.self)
    let file = ConfigurationFile(text, path: "/nonexistent/bondd.toml")
    if let configuration = try? file.configuration(keys: .leave) {
        _ = configuration.notices.count
        _ = configuration.canReplace(configuration)
    }
}

/// Decodes a line as each message of both programs. A decoded message must survive a round trip.
func readRequests(_ bytes: UnsafeRawBufferPointer) {
    func check<Message: Codable>(_ type: Message.Type) {
        guard let message = try? Line.decode(type, from: bytes) else { return }
        guard let line = try? Line.encode(message) else { return }
        precondition((try? Line.decode(type, from: line)) != nil, "\(type) can't read what it wrote")
    }
    check(Request.self)
    check(Response.self)
    check(ControlServiceRequest.self)
    check(ControlServiceResponse.self)
}

/// Reads the small formats of command lines, files and frames.
func readTexts(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let address = IPAddress(text) {
        precondition(IPAddress(address.description) == address, "\(address) does not survive being written")
    }
    if let endpoint = Endpoint(text) {
        precondition(Endpoint(endpoint.description) == endpoint, "\(endpoint) does not survive being written")
    }
    if let network = CIDR(text) {
        precondition(CIDR(network.description) == network, "\(network) does not survive being written")
    }
    if let name = HostPort(text) {
        precondition(HostPort(name.description) == name, "\(name) does not survive being written")
    }
    _ = NamePattern(text)
    _ = PublicKey(base64: text)
    _ = PrivateKey(base64: text)
    if let decoded = Base64.decode(text) {
        precondition(
            Base64.decode(Base64.encode(decoded)) == decoded, "base64 does not survive being written")
    }
}
