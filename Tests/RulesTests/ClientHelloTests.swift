import LinkModel
import TestSupport
import Testing

@testable import Rules

@Suite struct ClientHelloTests {
    @Test func findsTheNameInWhatOpenSSLSays() {
        #expect(ClientHello.reading(Hello.captured) == .name("web.example.org"))
        #expect(ClientHello.reading(Hello.nameless) == .name(nil))
    }

    /// No more bytes than the hello contains are waited for, and it is not examined for each byte.
    @Test func saysHowMuchIsNeeded() {
        let bytes = Hello.captured
        var looks = 0
        var hello = ClientHello()
        var count = 1
        while true {
            looks += 1
            let reading = bytes.prefix(count).withUnsafeBytes { hello.read($0) }
            guard reading == .needsMore else { break }
            #expect(hello.neededSize > count && hello.neededSize <= bytes.count)
            count = max(count + 1, hello.neededSize)
        }
        #expect(looks <= 4)
        // However it is split into records.
        for size in [1, 7, 100] {
            let cut = Hello(extensions: [Hello.serverName("front.example".utf8)]).records(of: size)
            var hello = ClientHello()
            for count in 1..<cut.count {
                guard cut.prefix(count).withUnsafeBytes({ hello.read($0) }) == .needsMore else { break }
                #expect(hello.neededSize > count && hello.neededSize <= cut.count)
            }
        }
    }

    @Test func findsItBehindAnythingAndBeforeTheEnd() {
        // GREASE (RFC 8701), an encrypted hello (RFC 9849, 0xFE0D) and padding.
        let around: [(UInt16, [UInt8])] = [
            (0x0A0A, []), (0xFE0D, Array(repeating: 9, count: 200)), (21, Array(repeating: 0, count: 9000)),
        ]
        var hello = Hello(extensions: around + [Hello.serverName("Front.Example.".utf8)])
        #expect(ClientHello.reading(hello.records()) == .name("front.example."))
        hello.extensions = [Hello.serverName("front.example".utf8)] + around
        let bytes = hello.records()
        #expect(
            ClientHello.reading(Array(bytes.prefix(150))) == .name("front.example"),
            "need not wait for the rest")
        hello.extensions = around
        #expect(ClientHello.reading(hello.records()) == .name(nil))
        #expect(ClientHello.reading(Array(hello.records().dropLast())) == .needsMore)
        hello.extensions = nil
        hello.sessionID = []
        #expect(ClientHello.reading(hello.records()) == .name(nil), "TLS 1.0 has no extensions")
    }

    @Test func entriesOfOtherTypesAreSkipped() {
        let list: [UInt8] = [9, 0, 2, 1, 1, 0, 0, 1, UInt8(ascii: "a")]
        #expect(ClientHello.reading(Hello(extensions: [(0, Hello.sized(2, list))]).records()) == .name("a"))
    }

    @Test(
        arguments: [
            [0], [0, 0], [0, 1, 0], [0, 3, 0, 0, 0], [0, 4, 0, 0, 1, 65, 66], [0, 4, 0, 0, 9, 65],
            [0, 4, 0, 0, 1, 0],
            [0, 4, 0, 0, 1, 32], [0, 4, 0, 0, 1, 200], [0, 5, 1, 0, 0, 0, 0],
        ] as [[UInt8]])
    func namesThatMakeNoSenseAreNoHello(_ body: [UInt8]) {
        #expect(ClientHello.reading(Hello(extensions: [(0, body)]).records()) == .notTLS)
    }

    @Test func aNameHasAtMost254Bytes() {
        for (size, isName) in [(1, true), (254, true), (255, false), (300, false)] {
            let name = String(repeating: "a", count: size)
            let reading = ClientHello.reading(Hello(extensions: [Hello.serverName(name.utf8)]).records())
            #expect(reading == (isName ? .name(name) : .notTLS))
        }
    }

    @Test func whatIsNoTLSIsKnownByItsFirstBytes() {
        #expect(ClientHello.reading([]) == .needsMore)
        #expect(ClientHello.reading(Array("GET / HTTP/1.1\r\n".utf8)) == .notTLS)
        for bytes in [
            [22, 2], [22, 3, 5], [22, 3, 1, 0, 0], [22, 3, 1, 64, 1], [21], [22, 3, 1, 0, 1, 2],
        ] as [[UInt8]] {
            #expect(ClientHello.reading(Array(bytes.dropLast())) == .needsMore, "\(bytes)")
            #expect(ClientHello.reading(bytes) == .notTLS, "\(bytes)")
        }
        let other: [UInt8] = [23, 3, 3, 0, 1, 0]
        #expect(ClientHello.reading(Array(Hello.captured.prefix(5 + 20)) + other) == .needsMore)
        let cut = Hello.records(Array(Hello(extensions: []).message.prefix(20)), of: 20)
        #expect(ClientHello.reading(cut + other) == .notTLS, "no other records in a message")
    }

    @Test func noMoreThan64KiBAreLookedAt() {
        let long = Hello(extensions: [
            (21, Array(repeating: 0, count: 65_400)), Hello.serverName("a.example".utf8),
        ])
        #expect(long.message.count > 65_450 && long.message.count < ClientHello.maximumSize)
        let reading = ClientHello.reading(long.records())
        #expect(reading == .name("a.example"))
        #expect(ClientHello.reading(long.records(of: 1024)) == .notTLS, "its records' headers count")
        let endless = Hello(extensions: [
            (21, Array(repeating: 0, count: 60_000)), (22, Array(repeating: 0, count: 5_000)),
        ])
        let bytes = endless.records(of: 64)
        #expect(ClientHello.reading(Array(bytes.prefix(ClientHello.maximumSize - 1))) == .needsMore)
        #expect(ClientHello.reading(Array(bytes.prefix(ClientHello.maximumSize))) == .notTLS)
    }

    /// Every prefix of real and built hellos, in records of every size, whole and byte by byte.
    @Test func everyTruncationIsWhatTheOracleSays() {
        let built = Hello(extensions: [
            (0x1A1A, [0]), (10, [1, 2, 3]), Hello.serverName("host.example".utf8), (43, [2, 3, 4]),
        ])
        var all = [Hello.captured, Hello.nameless]
        for size in [1, 2, 3, 7, 60, 16384] { all.append(built.records(of: size)) }
        for bytes in all {
            var hello = ClientHello()
            for length in 0...bytes.count {
                let prefix = Array(bytes.prefix(length))
                let expected = HelloOracle.reading(prefix)
                #expect(ClientHello.reading(prefix) == expected, "\(length) of \(bytes.count)")
                #expect(prefix.withUnsafeBytes { hello.read($0) } == expected, "one more, \(length)")
            }
            #expect(hello.reading(bytes) != .needsMore && hello.reading(bytes) != .notTLS)
        }
    }

    /// Real hellos with some bytes changed, removed or inserted, split anywhere.
    @Test(arguments: [UInt64(11), 12, 13, 14])
    func mutationsAreWhatTheOracleSays(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let built = Hello(extensions: [(0x1A1A, []), Hello.serverName("host.example".utf8), (43, [2, 3, 4])])
        let list = Hello(extensions: [(0, Hello.sized(2, [3, 0, 1, 1, 0, 0, 3, 97, 46, 98]))])
        let seeds = [Hello.captured, Hello.nameless, built.records(of: 11), built.records(), list.records()]
        for round in 0..<12_000 {
            var bytes = seeds.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] &+= Bool.random(using: &random) ? 1 : 255
                case 2: bytes.remove(at: at)
                case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                default: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
                }
            }
            try compare(bytes, &random, "seed \(seed), round \(round)")
        }
    }

    /// Records of arbitrary content, some with a valid beginning.
    @Test(arguments: [UInt64(21), 22, 23, 24])
    func noiseIsWhatTheOracleSays(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<25_000 {
            var bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...3, using: &random) : UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes = [22, 3, 1, 0, UInt8(clamping: bytes.count)] + bytes }
            if Bool.random(using: &random) {
                bytes = Hello.records(
                    Array(Hello(sessionID: [], extensions: []).message.dropLast(2)) + bytes,
                    of: Int.random(in: 1...400, using: &random))
            }
            try compare(bytes, &random, "seed \(seed), round \(round)")
        }
    }

    private func compare(_ bytes: [UInt8], _ random: inout SeededGenerator, _ place: String) throws {
        let expected = HelloOracle.reading(bytes)
        try #require(ClientHello.reading(bytes) == expected, "\(place): \(bytes)")
        let cuts = (0..<4).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
        try #require(ClientHello.reading(bytes, cuts: cuts) == expected, "\(place), cut at \(cuts): \(bytes)")
        if let cut = cuts.first {
            let prefix = Array(bytes.prefix(cut))
            try #require(
                ClientHello.reading(prefix) == HelloOracle.reading(prefix), "\(place), \(cut) bytes: \(bytes)"
            )
        }
    }
}

extension ClientHello {
    fileprivate func reading(_ bytes: [UInt8]) -> Reading {
        var copy = self
        return bytes.withUnsafeBytes { copy.read($0) }
    }
}

extension ClientHello {
    /// Parses the bytes, passed to it in growing parts that end at each of `cuts` and then at the end.
    static func reading(_ bytes: [UInt8], cuts: [Int] = []) -> Reading {
        var hello = ClientHello()
        return bytes.withUnsafeBytes { all in
            for cut in cuts { _ = hello.read(UnsafeRawBufferPointer(rebasing: all[..<cut])) }
            return hello.read(all)
        }
    }
}
