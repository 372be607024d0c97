import Packet
import Testing

@testable import Proto

@Suite struct HandshakeTests {
    @Test func completes() throws {
        var entropy = Entropy(seed: [UInt8](repeating: 7, count: 32))
        let client = PrivateKey.generate(&entropy)
        let server = PrivateKey.generate(&entropy)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { buffer.deallocate() }
        let initiator = try Initiator(
            staticKey: client, responder: server.publicKey, sessionID: 5,
            payload: InitPayload(timestamp: Timestamp(seconds: 1, nanoseconds: 2)), entropy: &entropy)
        let length = initiator.writeInit(pathID: 3, cookie: nil, to: buffer).length
        let responder = try Responder(
            reading: UnsafeRawBufferPointer(buffer).slice(0, length), staticKey: server)
        #expect(responder.initiator == client.publicKey)
        let response = try responder.respond(
            sessionID: 9, payload: ResponsePayload(continues: true), pathID: 3, entropy: &entropy, to: buffer)
        let established = try initiator.readResponse(
            UnsafeRawBufferPointer(buffer).slice(0, response.length))
        #expect(established.sessionID == 9)
        #expect(established.payload.continues)
    }
}
