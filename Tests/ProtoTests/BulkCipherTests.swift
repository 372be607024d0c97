import Packet
import Testing

@testable import Proto

/// The choice between the libraries.
@Suite struct BulkCipherTests {
    @Test(arguments: CipherSuite.allCases.filter(\.isAvailable)) func isTrusted(_ suite: CipherSuite) throws {
        let cipher = try #require(BulkCipher.of(suite))
        #expect(!cipher.distrustsLibcrypto && cipher.provider.has(suite))
        #expect(
            ["\(suite) (libsodium)", "\(suite) (libcrypto)"].contains(cipher.description),
            "\(cipher.description)")
        print("bulk cipher: \(cipher)")
    }

    @Test func chaChaPolyIsAlwaysThere() { #expect(CipherSuite.chacha20poly1305.isAvailable) }

    /// Random lengths, beyond those of the self-test at start.
    @Test(
        arguments: CipherSuite.allCases.filter {
            AEADProvider.sodium.has($0) && AEADProvider.libcrypto.has($0)
        })
    func librariesAgree(_ suite: CipherSuite) {
        #expect(ProviderTrial.passes(suite))
        let seed: UInt8 = 77
        var entropy = Entropy(seed: [UInt8](repeating: seed, count: 32))
        for index in 0..<500 {
            let material = Buffer(44)
            entropy.fill(material.bytes)
            var one = DirectionKey(material: material.read, suite: suite, provider: .sodium)!
            var other = DirectionKey(material: material.read, suite: suite, provider: .libcrypto)!
            let length = Int(entropy.below(2025))
            let agree = ProviderTrial.agree(&one, &other, length: length, &entropy)
            #expect(agree, "case \(index), \(length) bytes, seed \(seed)")
        }
    }

    /// The self-test detects a different key, IV or suite, even with nothing to seal.
    @Test(arguments: [0, 31, 32, 43]) func trialNoticesDifference(_ place: Int) {
        var entropy = Entropy(seed: [UInt8](repeating: 5, count: 32))
        let material = Buffer(44)
        var one = DirectionKey(material: material.read, suite: .chacha20poly1305, provider: .sodium)!
        material.bytes[place] ^= 1
        for length in [0, 1, 1400] {
            var other = DirectionKey(material: material.read, suite: .chacha20poly1305, provider: .sodium)!
            let agree = ProviderTrial.agree(&one, &other, length: length, &entropy)
            #expect(!agree)
            material.bytes[place] ^= 1
            var same = DirectionKey(material: material.read, suite: .chacha20poly1305, provider: .sodium)!
            material.bytes[place] ^= 1
            let agreesWithSame = ProviderTrial.agree(&one, &same, length: length, &entropy)
            #expect(agreesWithSame)
        }
    }

    private func choose(
        among providers: [AEADProvider], trusts: Bool = true, fastest: AEADProvider = .libcrypto
    ) -> BulkCipher? {
        BulkCipher.choose(.aes256gcm, among: providers, trusts: { _ in trusts }, fastest: { _ in fastest })
    }

    @Test func choice() throws {
        #expect(choose(among: [.sodium, .libcrypto])?.provider == .libcrypto)
        #expect(choose(among: [.sodium, .libcrypto], fastest: .sodium)?.provider == .sodium)
        #expect(choose(among: [.libcrypto], fastest: .sodium)?.provider == .libcrypto)
        #expect(choose(among: [.sodium], trusts: false)?.distrustsLibcrypto == false)
        #expect(choose(among: []) == nil)

        let fallback = try #require(choose(among: [.sodium, .libcrypto], trusts: false))
        #expect(fallback.provider == .sodium && fallback.distrustsLibcrypto)
        #expect(fallback.warning?.contains("libcrypto failed the self-test of aes-256-gcm") == true)
        #expect(choose(among: [.sodium])?.warning == nil)
        #expect(choose(among: [.libcrypto], trusts: false) == nil)
    }
}
