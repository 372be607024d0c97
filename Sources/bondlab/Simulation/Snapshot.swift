import Foundation

/// The tables within docs/simulation.md, between the markers.
struct Snapshot {
    private static let begin = "<!-- bondlab sim -->"
    private static let end = "<!-- end -->"

    private let path: String
    private let before: [String]
    private let after: [String]
    /// The tables' lines.
    let lines: [String]

    /// Reads a file. Throws a sentence.
    init(path: String) throws {
        self.path = path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SnapshotError(
                "\(path) cannot be read; give the file with the tables, docs/simulation.md.")
        }
        let all = text.components(separatedBy: "\n")
        guard let first = all.firstIndex(of: Self.begin), let last = all.firstIndex(of: Self.end),
            first < last
        else {
            throw SnapshotError(
                "\(path) has no markers for the tables; add the lines '\(Self.begin)' and '\(Self.end)' into it."
            )
        }
        before = Array(all[...first])
        after = Array(all[last...])
        lines = all[(first + 1)..<last].filter { $0 != "```text" && $0 != "```" }
    }

    /// Replaces the tables.
    func replace(by lines: [String]) throws {
        let text = (before + ["```text"] + lines + ["```"] + after).joined(separator: "\n")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The differences, line by line: - as in the file, + as in `other`.
    /// - Parameter isPart: whether rows may be missing in `other`.
    func difference(to other: [String], isPart: Bool) -> [String] {
        var unseen = lines
        var difference: [String] = []
        var isFirstTable = true
        for line in other {
            isFirstTable = isFirstTable && !line.isEmpty
            if let same = unseen.firstIndex(of: line) {
                unseen.remove(at: same)
                continue
            }
            // Both tables have the same rows.
            let table = isFirstTable ? lines.prefix { !$0.isEmpty } : lines.drop { !$0.isEmpty }
            let name = line.prefix { $0 != " " } + " "
            if let old = table.first(where: { $0.hasPrefix(name) }) {
                difference.append("- " + old)
                unseen.removeAll { $0 == old }
            }
            difference.append("+ " + line)
        }
        return difference + (isPart ? [] : unseen.map { "- " + $0 })
    }
}

/// Why a snapshot cannot be used.
struct SnapshotError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
