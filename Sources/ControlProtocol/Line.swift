import FoundationEssentials

/// One message on the control socket: compact JSON with sorted keys, ended by a newline.
public enum Line {
    /// The line for `message`, newline included.
    /// - Throws: `EncodingError` when a floating-point number in it is not finite.
    public static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(message) + [UInt8(ascii: "\n")]
    }

    /// The message in `line`, which may or may not end with a newline.
    /// - Throws: `DecodingError` when it is not one.
    public static func decode<Message: Decodable>(
        _ type: Message.Type, from line: some Sequence<UInt8>
    ) throws -> Message {
        try JSONDecoder().decode(type, from: Data(line))
    }
}
