import CSodium
import Packet

/// SipHash-2-4 (Aumasson and Bernstein, 2012) of network prefixes under a secret key: the owner of an address
/// cannot predict its place in a table, and so cannot choose two addresses that share one.
public struct KeyedHash: Sendable {
    private let key: Bytes32

    /// A hash under a key.
    init(key: Bytes32) { self.key = key }

    /// 64 bits derived from the first `prefix` bits of `address`, its family and `salt`.
    public func callAsFunction(_ address: IPAddress, prefix: Int, salt: UInt64) -> UInt64 {
        let network = address.masked(to: prefix)
        let words = (
            network.high, network.low, salt, UInt64(address.family.rawValue) << 8 | UInt64(prefix)
        )
        var hash: UInt64 = 0
        withUnsafeBytes(of: words) { words in
            withUnsafeMutableBytes(of: &hash) { hash in
                key.withUnsafeBytes { key in
                    _ = crypto_shorthash_siphash24(hash.octets, words.octets, UInt64(words.count), key.octets)
                }
            }
        }
        return hash
    }
}
