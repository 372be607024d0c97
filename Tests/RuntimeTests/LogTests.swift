import Glibc
import Testing

@testable import Runtime

@Suite struct LogTests {
    static let noon: time_t = 1_738_324_800  // 2025-01-31T12:00:00Z

    @Test func textLines() {
        let log = Log(format: .text, fileDescriptor: -1)
        #expect(
            log.line(.info, "path is up", ["path": "fibre", "rtt": "12.1"], time: Self.noon)
                == "2025-01-31T12:00:00Z info path is up path=fibre rtt=12.1\n")
        #expect(
            log.line(.error, "a\nb", ["why": "x \"y\" =\n", "none": ""], time: Self.noon)
                == "2025-01-31T12:00:00Z error a\\nb why=\"x \\\"y\\\" =\\n\" none=\"\"\n")
    }

    @Test func jsonLines() {
        let log = Log(format: .json, fileDescriptor: -1)
        #expect(
            log.line(.warning, "a \"b\"\u{1}\\", ["path": "é\n"], time: Self.noon)
                == #"{"time":"2025-01-31T12:00:00Z","level":"warning","message":"a \"b\"\u0001\\","path":"é\n"}"#
                + "\n")
    }

    @Test func whatIsBelowTheLevelIsNotEvenMade() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let log = Log(level: .warning, fileDescriptor: ends[1])
        var made = 0
        func message(_ text: String) -> String {
            made += 1
            return text
        }
        log(.info, message("quiet"))
        log(.debug, message("quieter"))
        #expect(made == 0)
        log(.warning, message("loud"), ["n": "1"])
        log(.error, message("louder"))
        #expect(made == 2)
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = read(ends[0], &bytes, bytes.count)
        let lines = String(decoding: bytes[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        #expect(
            lines.count == 2 && lines[0].hasSuffix("Z warning loud n=1")
                && lines[1].hasSuffix("Z error louder"))
    }
}
