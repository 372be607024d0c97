import Foundation
import FuzzInputs
import LinkModel
import Testing

/// Replays the corpora of the fuzzers, and inputs similar to them: without guidance by coverage, but in every
/// `make test`.
@Suite struct CorpusTests {
    private static let corpora = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fuzz/Corpora")

    private func inputs(of input: FuzzInput) throws -> [[UInt8]] {
        let directory = Self.corpora.appendingPathComponent(input.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        return try names.map { Array(try Data(contentsOf: directory.appendingPathComponent($0))) }
    }

    @Test(arguments: FuzzInput.allCases) func everyInputOfTheCorpusIsTaken(_ input: FuzzInput) throws {
        let inputs = try inputs(of: input)
        #expect(!inputs.isEmpty)
        for bytes in inputs { bytes.withUnsafeBytes(input.makeBody()) }
    }

    /// Changed bytes, missing ends, and one input's beginning with another's end.
    @Test(arguments: FuzzInput.allCases) func whatIsNearTheCorpusIsTaken(_ input: FuzzInput) throws {
        let inputs = try inputs(of: input)
        var random = SeededGenerator(seed: 1)
        var body = input.makeBody()
        let start = Date()
        for round in 1...4000 where Date().timeIntervalSince(start) < 3 {
            if round % min(input.lifetime, 1000) == 0 { body = input.makeBody() }
            var bytes = inputs.randomElement(using: &random) ?? []
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            case 1:
                let other = inputs.randomElement(using: &random) ?? []
                bytes =
                    bytes.prefix(Int.random(in: 0...bytes.count, using: &random))
                    + other.suffix(Int.random(in: 0...other.count, using: &random))
            default: break
            }
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            bytes.withUnsafeBytes(body)
        }
    }
}
