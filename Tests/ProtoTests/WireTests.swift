import Foundation
import Testing

@testable import Proto

/// `Wire.swift` describes the whole format: its comment has to keep up with the types.
@Suite struct WireTests {
    /// The comment's table of frames: the name of each, by type.
    private func frames() throws -> [UInt8: String] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/Proto/Wire.swift")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let table = lines.drop { !$0.contains("type  name") }.prefix { $0.count > 4 }.dropFirst()
        var frames: [UInt8: String] = [:]
        for line in table {
            // Lines that begin with a number begin a row.
            let words = line.dropFirst(3).split(separator: " ")
            guard let type = UInt8(words[0]), words.count > 1 else { continue }
            #expect(frames.updateValue(String(words[1]), forKey: type) == nil)
        }
        return frames
    }

    @Test func theTableHasEveryFrameAndNoOther() throws {
        let frames = try frames()
        let known = (UInt8.min...UInt8.max).compactMap(FrameType.init(rawValue:))
        #expect(known.count >= 19)
        for type in known {
            // `assignRequest` is ASSIGN_REQUEST.
            let name = "\(type)".map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
            #expect(frames[type.rawValue] == name)
        }
        #expect(frames.count == known.count)
    }
}
