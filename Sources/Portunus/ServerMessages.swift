import GRPCCore
import GRPCProtobuf

/// Reads what a control plane says. What can't be read is an empty message instead of an end of the session, as the next message
/// is none the worse for it.
struct ServerMessages: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Portunus_V1_ServerMessage {
        let message = try? ProtobufDeserializer<Portunus_V1_ServerMessage>().deserialize(bytes)
        return message ?? Portunus_V1_ServerMessage()
    }
}
