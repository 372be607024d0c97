import Foundation
import Testing

@testable import Settings

/// docs/configuration.md, the source of the manual page, has exactly the keys that the reader knows.
@Suite struct ReferenceTests {
    let samples = ConfigurationSamples()

    /// `table key` for each row of each section.
    private func documented() throws -> Set<String> {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/configuration.md")
        var table = ""
        var keys: Set<String> = []
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("## ") {
                table = line.dropFirst(3).filter { !"`[]".contains($0) }
            } else if let match = line.firstMatch(of: /^\| `([a-z0-9_]+)` \|/) {
                #expect(keys.insert("\(table) \(match.1)").inserted, "\(line) is there twice")
            }
        }
        return keys
    }

    /// The keys listed by the refusal of an unknown one: `…; use a, b and c`.
    private func refused(_ text: String) throws -> [String] {
        do {
            _ = try samples.read(text)
        } catch {
            let words = try #require(error.description.components(separatedBy: "; use ").last)
            #expect(error.description.contains("\"nonsense\""), "\(error)")
            return words.replacing(" and ", with: ", ").replacing(" or ", with: ", ").split(separator: ", ")
                .map(String.init)
        }
        Issue.record("a table has the key nonsense")
        return []
    }

    /// A configuration with `nonsense` in the table: in an existing one, else in one added at the end.
    private func nonsense(in table: String) -> String {
        let isServers = ["listen", "nat", "offer", "client", "portunus", "rule", "targets", "limit"].contains(
            table)
        let text = isServers ? ConfigurationSamples.server : ConfigurationSamples.client
        if table == "targets" {
            return text
                + "\n[[rule]]\nname = \"r\"\nprotocol = \"tcp\"\nlisten_port = 80\ntargets = [{ nonsense = 1 }]\n"
        }
        if table == "limit" {
            return text
                + "\n[[rule]]\nname = \"r\"\nprotocol = \"tcp\"\nlisten_port = 80\ntarget = \"a.b:1\"\nlimit = { nonsense = 1 }\n"
        }
        for header in ["[[\(table)]]\n", "[\(table)]\n"] {
            guard let place = text.range(of: header) else { continue }
            return text.replacingCharacters(in: place, with: header + "nonsense = 1\n")
        }
        let isList = ["path", "client", "rule", "class"].contains(table)
        return text + (isList ? "\n[[\(table)]]\nnonsense = 1\n" : "\n[\(table)]\nnonsense = 1\n")
    }

    @Test func theReferenceHasEveryKeyAndNoOther() throws {
        let tables = try refused("nonsense = 1\n")
        #expect(tables.count >= 10)
        var known: Set<String> = []
        for table in tables + ["targets", "limit"] {
            for key in try refused(nonsense(in: table)) { known.insert("\(table) \(key)") }
        }
        let documented = try documented()
        #expect(known.subtracting(documented).sorted() == [])
        #expect(documented.subtracting(known).sorted() == [])
    }

    /// The rules shown in docs/services.md are valid.
    @Test func theServicesThatAreShownAreGood() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/services.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```toml\n")
        var text = ConfigurationSamples.server + "\n"
        for block in blocks.dropFirst() { text += block.components(separatedBy: "```")[0] }
        guard case .server(let server) = try samples.read(text).role else { return }
        #expect(server.rules.map(\.id.description) == ["web", "shop", "game"])
    }
}
