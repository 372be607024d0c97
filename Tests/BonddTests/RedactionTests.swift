import Testing

@testable import bondd

/// Redaction of reports that leave the host.
@Suite struct RedactionTests {
    static let publicKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
    static let privateKey = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
    static let redaction = Redaction(secrets: ["tokentokentoken1"], publicKeys: [publicKey])

    /// Known secrets, and texts that only look like one: keys, links, tokens in base64 or hexadecimal digits.
    @Test(arguments: [
        privateKey, "private_key = \"\(privateKey)\"", "x\(privateKey)", "key=\(privateKey),",
        "[\(privateKey)]",
        "bondd://AQABhSDwCYkw_p1R0i33c-tD73", "bondd join bondd://AQ", "portunus://a:1/enroll?pin=1&code=abc",
        "tokentokentoken1",
        "a tokentokentoken1 b", "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ac177fba51db92c2a",
        "Bearer QmFzZTY0IHRva2VucyBhcmUgbG9uZyBlbm91Z2g5OQ==",
    ]) func secretsAreRemoved(_ text: String) {
        let clean = Self.redaction.clean(text)
        #expect(clean.contains(Redaction.mark), "\(clean)")
        for secret in [Self.privateKey, "AQABhSDw", "code=abc", "tokentoken", "77076d0a", "QmFzZTY0"] {
            #expect(!clean.contains(secret), "\(clean)")
        }
    }

    @Test(arguments: [
        publicKey, "\"public_key\":\"\(publicKey)\",", "/var/lib/bondd/control/state.sqlite3",
        "default via 192.168.8.1 dev enp0s31f6 proto dhcp src 192.168.8.100 metric 100",
        "inet6 2001:db8:1234:5678:9abc:def0:1234:5678/64 scope global dynamic mngtmpaddr",
        "table inet bondd_killswitch { chain output { type filter hook output priority 0; policy drop; } }",
        "2026-11-29T20:12:44Z warning the server has not answered for 90 s; check its address",
        "Linux host 6.12.9-amd64-with-a-very-long-flavour-name #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux",
        "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.4/net/wwan0",
    ]) func whatIsNoneStays(_ text: String) { #expect(Self.redaction.clean(text) == text) }

    @Test func aConfigurationLosesCommentsAndValues() {
        let text = """
            [tunnel] # my password is hunter2hunter2
            private_key_file = "client.key"
            # psk: \(Self.privateKey)
            private_key = "oops"
            token = "short"
            public_key = "\(Self.publicKey)"
            name = "a # b"
            """
        let clean = Self.redaction.clean(configuration: text)
        for word in ["client.key", Self.publicKey, "\"a # b\"", "[tunnel]"] {
            #expect(clean.contains(word), "\(word)")
        }
        for secret in ["hunter2", Self.privateKey, "oops", "short"] {
            #expect(!clean.contains(secret), "\(clean)")
        }
    }

    /// A private key used as a public one is still private.
    @Test func aSecretIsNeverPublic() {
        let redaction = Redaction(secrets: [Self.privateKey], publicKeys: [Self.privateKey])
        #expect(
            redaction.clean("public_key = \"\(Self.privateKey)\"") == "public_key = \"\(Redaction.mark)\"")
    }
}
