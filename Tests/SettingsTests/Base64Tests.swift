import Testing

@testable import Settings

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func vectorsOfRFC4648(plain: String, coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zm 9", "Zmé=",
    ])
    func whatIsNotCanonicalIsRefused(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func everyByteSurvives() {
        let bytes = (0..<256).map { UInt8($0) }
        for length in 0...256 {
            #expect(Base64.decode(Base64.encode(Array(bytes[..<length]))) == Array(bytes[..<length]))
        }
    }
}
