import Foundation
import Lab
import Testing

/// `bondlab sim` and the snapshot it is checked against. Needs no privilege.
@Suite("The simulation table", .timeLimit(.minutes(1))) struct SimulationTableTests {
    private let scratch: Scratch
    private var file: String { scratch.path + "/simulation.md" }

    init() throws { scratch = try Scratch() }

    private func sim(_ arguments: String...) throws -> Child {
        let child = try Child([Program("bondlab").path, "sim", "--row", "alone-20"] + arguments)
        _ = try child.wait(seconds: 50)
        return child
    }

    @Test func aChangedNumberFailsTheCheckAndIsShown() throws {
        let table = try sim()
        #expect(table.status == .exited(0), "\(table.errors)")
        let lines = table.output.split(separator: "\n").filter { $0.hasPrefix("alone-20 ") }.map(String.init)
        #expect(lines.count == 2, "\(table.output)")
        let text = "# Title\n<!-- bondlab sim -->\n```text\n\(table.output)```\n<!-- end -->\n"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let same = try sim("--check", file)
        #expect(same.status == .exited(0), "\(same.output)\(same.errors)")
        // One number in each table.
        let bulk = try #require(lines[0].range(of: "18"))
        let changed = lines[0].replacingCharacters(in: bulk, with: "17")
        try text.replacingOccurrences(of: lines[0], with: changed)
            .write(toFile: file, atomically: true, encoding: .utf8)
        let other = try sim("--check", file)
        #expect(other.status == .exited(1))
        #expect(other.output.contains("- \(changed)\n+ \(lines[0])\n"), "\(other.output)")
        #expect(other.output.contains("make simulation-table"))
        #expect(!other.output.contains(lines[1]))
    }

    @Test func aFileWithoutPlaceForTablesIsRefused() throws {
        try "no table here\n".write(toFile: file, atomically: true, encoding: .utf8)
        let child = try sim("--check", file)
        #expect(child.status == .exited(1))
        #expect(
            child.errors.contains(file) && child.errors.contains("<!-- bondlab sim -->"), "\(child.errors)")
    }
}
