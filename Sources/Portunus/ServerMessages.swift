import GRPCCore
import GRPCProtobuf

/// Decodes a control plane's messages. An undecodable one becomes an empty message instead of ending the
/// session, because it does not affect those that follow.
struct ServerMessages: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Portunus_V1_ServerMessage {
        let message = try? ProtobufDeserializer<Portunus_V1_ServerMessage>().deserialize(bytes)
        return message ?? Portunus_V1_ServerMessage()
    }
}
