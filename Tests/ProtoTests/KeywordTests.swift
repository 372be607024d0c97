import Proto
import Testing

@Suite struct KeywordTests {
    @Test func modesAndRolesHaveOneWordAndOneByte() {
        #expect(Mode.words == ["auto", "stripe", "preferred", "redundant", "throughput"])
        #expect(Mode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
        #expect(PathRole.words == ["primary", "backup", "metered", "never"])
        #expect(PathRole.allCases.map(\.rawValue) == [0, 1, 2, 3])
        #expect(CipherSuite.words == ["chacha20-poly1305", "aes-256-gcm"])
    }

    @Test func wordsAreReadBackAndOthersAreNot() {
        for mode in Mode.allCases { #expect(Mode(word: mode.word) == mode) }
        #expect(Mode(word: "Auto") == nil)
        #expect(PathRole(word: "") == nil)
        #expect(CipherSuite(word: "aes") == nil)
    }

    @Test func errorsListTheWords() {
        #expect(Mode.listed == "auto, stripe, preferred, redundant or throughput")
        #expect(CipherSuite.listed == "chacha20-poly1305 or aes-256-gcm")
    }
}
