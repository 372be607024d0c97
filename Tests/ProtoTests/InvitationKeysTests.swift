import Proto
import Testing

@Suite struct InvitationKeysTests {
    /// Both ends derive the same keys, and different ones for another secret or server.
    @Test func keysFollowFromSecretAndServer() {
        let secret = [UInt8](repeating: 7, count: InvitationKeys.secretSize)
        let server = PublicKey(bytes: Array(repeating: 1, count: 32))
        let keys = InvitationKeys(secret: secret, server: server)
        let again = InvitationKeys(secret: secret, server: server)
        let (a, b) = (keys.privateKey.publicKey, again.privateKey.publicKey)
        #expect(a == b)
        let (p, q) = (keys.presharedKey, again.presharedKey)
        #expect(p == q)
        let elsewhere = InvitationKeys(
            secret: secret, server: PublicKey(bytes: Array(repeating: 2, count: 32)))
        let other = InvitationKeys(
            secret: [UInt8](repeating: 8, count: InvitationKeys.secretSize), server: server)
        let (c, d) = (elsewhere.privateKey.publicKey, other.privateKey.publicKey)
        #expect(Set([a, c, d]).count == 3)
        let (r, s) = (elsewhere.presharedKey, other.presharedKey)
        #expect(p != r && p != s && r != s)
        let secretKey = keys.privateKey.base64
        let text = p.base64
        #expect(secretKey != text)
    }

    @Test func everySecretIsNew() {
        var entropy = Entropy(seed: Sodium.systemSeed())
        let a = InvitationKeys.makeSecret(&entropy)
        let b = InvitationKeys.makeSecret(&entropy)
        #expect(a != b && a.count == 20 && Set(a).count > 5)
    }
}
