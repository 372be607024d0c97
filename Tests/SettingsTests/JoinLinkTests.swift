import Proto
import Settings
import Testing

@Suite struct JoinLinkTests {
    let link = JoinLink(
        expiry: 0x01_2345_6789, server: PublicKey(bytes: Array(0..<32)), secret: Array(100..<120),
        endpoints: ["203.0.113.7:5000", "[2001:db8::7]:5000", "vpn.example.org:443"].map { HostPort($0)! })

    @Test func aLinkIsReadAsItWasWritten() throws {
        #expect(link.text.hasPrefix("bondd://AQEjRWeJAAEC"))
        #expect(try JoinLink(link.text) == link)
        #expect(try JoinLink("  \(link.text.prefix(40))\n\(link.text.dropFirst(40)) \n") == link)
    }

    /// Any single character that is changed, missing or doubled.
    @Test func everyDamageIsSeen() {
        let text = Array(link.text)
        for index in JoinLink.scheme.count..<text.count {
            var other = text
            other[index] = other[index] == "x" ? "y" : "x"
            #expect(throws: JoinLink.Failure.self) { _ = try JoinLink(String(other)) }
            var shorter = text
            shorter.remove(at: index)
            #expect(throws: JoinLink.Failure.self) { _ = try JoinLink(String(shorter)) }
            #expect(throws: JoinLink.Failure.self) { _ = try JoinLink(String(text[..<index])) }
        }
    }

    @Test func whatIsNoLinkIsTold() {
        for (text, part) in [
            ("", "not a join link"), ("https://example.org", "not a join link"), ("bondd://", "damaged"),
            ("bondd://äöü", "damaged"), ("bondd://" + String(repeating: "A", count: 5000), "damaged"),
            ("bondd://=AAA", "damaged"),
        ] {
            let failure = #expect(throws: JoinLink.Failure.self) { _ = try JoinLink(text) }
            #expect(failure?.description.contains(part) == true)
        }
    }

    @Test func nothingPrintsTheSecret() {
        #expect("\(link)" == "a join link")
        var dumped = ""
        dump(link, to: &dumped)
        #expect(!dumped.contains("100"))
    }
}
