import Glibc
import Portunus
import TestSupport
import Testing

struct BundleTests {
    private let pin = String(repeating: "0123456789abcdef", count: 4)
    private var bundle: Bundle {
        Bundle(
            clientName: "edge \"1\"", clientID: "7", endpoint: "[2001:db8::1]:7443", pin: pin,
            token: "secret/+=")
    }

    /// The description of a bundle does not contain the token.
    @Test func tokenIsNotPrinted() {
        var dumped = ""
        dump(bundle, to: &dumped)
        #expect(!"\(bundle)\(dumped)\(String(reflecting: bundle))".contains("secret"))
    }

    /// A written bundle can be read again, only by its owner, and replaces an existing file.
    @Test func fileHoldsAllOfIt() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/bundle.json"
        for id in ["7", nil] {
            var bundle = bundle
            bundle.clientID = id
            try bundle.write(to: path)
            #expect(directory.mode(of: "bundle.json") == 0o600)
            #expect(try Bundle(reading: path) == bundle)
        }
        #expect(throws: PortunusError.self) { try bundle.write(to: "/proc/none/bundle.json") }
    }

    /// The control plane's own file, with unknown keys, is read; its pin may be in upper case.
    @Test func unknownKeysAreSkipped() throws {
        let directory = TemporaryDirectory()
        let text = """
            {"version": 1, "client_name": "edge", "server_endpoint": "plane.example:7443", "later": {"a": [1]},
             "server_cert_sha256": "\(pin.uppercased())", "token": "t"}
            """
        directory.file("b", text)
        let read = try Bundle(reading: directory.path + "/b")
        #expect(read == Bundle(clientName: "edge", endpoint: "plane.example:7443", pin: pin, token: "t"))
    }

    /// An unusable file is reported by its path and the reason, never by its contents.
    @Test(arguments: [
        ("\"version\": 1", "\"version\": 2", "version 2"),
        ("plane.example:7443", "plane.example", "HOST:PORT"),
        ("0123456789abcdef", "xyz", "64 hexadecimal"), ("\"token\": \"secret\"", "\"token\": \"\"", "token"),
        ("secret", "secret\\nX-Other: 1", "token"), ("\"client_name\"", "\"name\"", "not a complete bundle"),
        ("{", "", "not a complete bundle"),
    ])
    func uselessFilesAreTold(old: String, new: String, reason: String) throws {
        let text = """
            {"version": 1, "client_name": "edge", "server_endpoint": "plane.example:7443",
             "server_cert_sha256": "\(pin)", "token": "secret"}
            """
        let directory = TemporaryDirectory()
        directory.file("b", text.replacing(old, with: new))
        let path = directory.path + "/b"
        let error = #expect(throws: PortunusError.self) { try Bundle(reading: path) }
        let sentence = try #require(error).description
        #expect(sentence.contains(path) && sentence.contains(reason) && !sentence.contains("secret"))
    }

    /// A token that others can read is refused.
    @Test func openFilesAreRefused() throws {
        let directory = TemporaryDirectory()
        try bundle.write(to: directory.path + "/b")
        chmod(directory.path + "/b", 0o640)
        let error = #expect(throws: PortunusError.self) { try Bundle(reading: directory.path + "/b") }
        #expect(try #require(error).description.contains("chmod 600"))
        let missing = #expect(throws: PortunusError.self) { try Bundle(reading: directory.path + "/none") }
        #expect(try #require(missing).description.contains("bondd portunus enroll"))
    }
}
