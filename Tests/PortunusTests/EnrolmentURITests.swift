import Portunus
import Testing

struct EnrolmentURITests {
    private static let pin = String(repeating: "0123456789abcdef", count: 4)
    private static let code = "AZaz09-_" + String(repeating: "x", count: 35)
    private static let good = "portunus://plane.example:7443/enroll?pin=sha256:\(pin)&code=\(code)"

    /// Every part is found; whitespace around it, the pin's case, the order of keys and unknown keys do not
    /// matter.
    @Test func partsAreFound() throws {
        let upper = Self.pin.uppercased()
        for text in [
            Self.good, " \(Self.good)\n", Self.good + "&later=1&flag",
            "portunus://plane.example:7443/enroll?"
                + "x=%20&code=\(Self.code)&pin=sha256:\(upper)",
        ] {
            let uri = try EnrolmentURI(text)
            #expect(uri.endpoint.description == "plane.example:7443")
            #expect(uri.pin == Self.pin && uri.code == Self.code)
        }
        for host in ["192.0.2.1:1", "[2001:db8::1]:65535"] {
            let uri = try EnrolmentURI(Self.good.replacing("plane.example:7443", with: host))
            #expect(uri.endpoint.description == host)
        }
    }

    /// A text that is not a URI is reported in a sentence without the code.
    @Test(arguments: [
        ("portunus://", "bondd://"), ("portunus://", "PORTUNUS://"), (":7443", ""), (":7443", ":0"),
        (":7443", ":65536"),
        ("plane.example", ""), ("plane.example", "2001:db8::1"), ("/enroll", "/enrol"),
        ("/enroll", "/x/enroll"), ("/enroll", ""),
        ("?", "#"), ("sha256:", "sha1:"), ("sha256:", ""), ("sha256:0", "sha256:"), ("sha256:0", "sha256:g"),
        ("sha256:0", "sha256:00"), ("AZaz", "AZ%61z"), ("AZaz", "AZa"), ("AZaz", "AZaz1"), ("AZaz", "AZa="),
        ("code=", "other="),
        ("pin=", "other="), ("&code=", "&code=x&code="), ("?pin", "?pin=sha256:00&pin"),
    ])
    func othersAreRefused(old: String, new: String) throws {
        let text = Self.good.replacing(old, with: new)
        #expect(text != Self.good)
        let error = #expect(throws: PortunusError.self) { try EnrolmentURI(text) }
        #expect(!(try #require(error).description.contains("xxxxx")))
    }

    /// The description does not contain the code.
    @Test func codeIsNotPrinted() throws {
        let uri = try EnrolmentURI(Self.good)
        var dumped = ""
        dump(uri, to: &dumped)
        #expect(!"\(uri)\(dumped)\(String(reflecting: uri))".contains("xxxxx"))
    }

    /// Bytes changed anywhere yield another URI or an error, never a crash; a parsed URI is well-formed.
    @Test func changedOnesAreReadOrRefused() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = Seeded(seed)
        var refused = 0
        for _ in 0..<5000 {
            var bytes = Array(Self.good.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[at] = .random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: at)
                default: bytes.insert(bytes.randomElement(using: &generator)!, at: at)
                }
            }
            guard let uri = try? EnrolmentURI(String(decoding: bytes, as: UTF8.self)) else {
                refused += 1
                continue
            }
            #expect(uri.pin.count == 64 && uri.code.utf8.count == 43 && uri.endpoint.port > 0)
        }
        #expect(refused > 1000)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
