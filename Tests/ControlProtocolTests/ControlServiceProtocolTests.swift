import ControlProtocol
import Testing

@Suite struct ControlServiceProtocolTests {
    static let requests: [(ControlServiceRequest, String)] = [
        (.clients, #"{"do":"clients"}"#),
        (.revoke(name: "boat"), #"{"do":"revoke","name":"boat"}"#),
        (.rename(from: "boat", to: "ship"), #"{"do":"rename","name":"boat","to":"ship"}"#),
        (
            .setNetworks(name: "boat", networks: ["10.1.0.0/16"]),
            #"{"do":"set_networks","name":"boat","networks":["10.1.0.0/16"]}"#
        ),
        (.backup(path: "/tmp/copy"), #"{"do":"backup","path":"/tmp/copy"}"#),
        (.rotateSecrets(isForced: true), #"{"do":"rotate_secrets","force":true}"#),
        (.setEndpoints(["a.example:1"]), #"{"do":"set_endpoints","endpoints":["a.example:1"]}"#),
        (
            .invite(InvitationOrder(name: "boat", lifetime: 60, uses: 2, mode: "stripe", endpoints: ["h:1"])),
            #"{"do":"invite","endpoints":["h:1"],"mode":"stripe","name":"boat","ttl_s":60,"uses":2}"#
        ),
    ]

    @Test func requestsAreLines() throws {
        for (request, text) in Self.requests {
            let line = try Line.encode(request)
            #expect(String(decoding: line, as: UTF8.self) == text + "\n")
            #expect(try Line.decode(ControlServiceRequest.self, from: line) == request)
        }
        for text in ["{}", #"{"do":"nonsense"}"#, #"{"do":"revoke"}"#, #"{"do":"set_endpoints"}"#] {
            #expect(throws: DecodingError.self) {
                try Line.decode(ControlServiceRequest.self, from: text.utf8)
            }
        }
    }

    @Test func answersAreLines() throws {
        let client = ClientStatus(
            name: "boat", publicKey: "k", addresses: ["10.77.0.2"], source: "state", isUp: true)
        let invitation = InvitationStatus(name: "van", usesLeft: 2, expiresAt: 5)
        for answer in [
            .ok, .failed("no"), .link("bondd://x"), .clients([client], [invitation]), .clients([], []),
        ] as [ControlServiceResponse] {
            #expect(try Line.decode(ControlServiceResponse.self, from: Line.encode(answer)) == answer)
        }
    }
}
