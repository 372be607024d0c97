/// The secret key of the hashes of flows and addresses, which keeps attackers from choosing addresses and ports
/// that share another flow's bucket (the random perturbation of RFC 8290 section 5.2.4).
///
/// The words are multiplied to 128 bits whose halves are folded, as in wyhash. The result is never visible
/// outside, so a stronger function such as SipHash would cost more for no gain.
public struct FlowKey: Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64, UInt64)

    /// A key of random words.
    public init(_ words: (UInt64, UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// The hash of two addresses and the other fields that distinguish their flows.
    func hash(_ source: IPAddress, _ destination: IPAddress, _ rest: UInt64) -> UInt32 {
        let from = Self.fold(source.high ^ words.0, source.low ^ words.1)
        let to = Self.fold(destination.high ^ words.2, destination.low ^ words.3)
        // Rotated, so that the two directions of a connection are different flows.
        let hash = Self.fold(from ^ (to << 32 | to >> 32) ^ words.4, rest ^ words.1)
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    /// The hash of an address and a small number.
    public func hash(_ address: IPAddress, _ rest: UInt64) -> UInt32 {
        let hash = Self.fold(
            Self.fold(address.high ^ words.0, address.low ^ words.1) ^ words.4, rest ^ words.2)
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
