import Packet

/// The proof, issued by a responder under load, that its holder receives at its address: the key of MAC2.
public struct Cookie: Equatable, Sendable {
    private let mac: Mac

    init(_ mac: Mac) { self.mac = mac }

    /// The cookie of `endpoint` under a responder's `secret`.
    init(secret: Bytes32, endpoint: Endpoint) {
        var place: (UInt64, UInt64, UInt32, UInt16, UInt16) = (
            endpoint.address.high.bigEndian, endpoint.address.low.bigEndian, endpoint.zone.bigEndian,
            endpoint.port.bigEndian, UInt16(endpoint.address.family.rawValue).bigEndian
        )
        mac = Swift.withUnsafeBytes(of: &place) { place in
            secret.withUnsafeBytes { Mac(key: $0, of: place) }
        }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        mac.withUnsafeBytes(body)
    }

    /// The correct MAC2 of `message`, whose last 16 bytes it is.
    func mac2(of message: UnsafeRawBufferPointer) -> Mac {
        mac.withUnsafeBytes { Mac(key: $0, of: message.slice(0, message.count - Wire.macSize)) }
    }
}
