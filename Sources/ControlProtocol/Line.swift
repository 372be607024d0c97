import FoundationEssentials

/// One message on the control socket: compact JSON with sorted keys, ended by a newline.
package enum Line {
    /// Encodes `message` as a line, including the newline.
    /// - Throws: `EncodingError` if it contains a floating-point number that is not finite.
    package static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(message) + [UInt8(ascii: "\n")]
    }

    /// Decodes the message in `line`, with or without a newline at its end.
    /// - Throws: `DecodingError` if it is not such a message.
    package static func decode<Message: Decodable>(
        _ type: Message.Type, from line: some Sequence<UInt8>
    ) throws -> Message {
        try JSONDecoder().decode(type, from: Data(line))
    }
}
