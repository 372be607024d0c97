import Commands

/// Findings for people, in 80 columns: one line each, with the remedy below if something is wrong.
struct FindingTable {
    static let width = 80
    private static let margin = String(repeating: " ", count: 16)

    let text: String

    init(_ findings: [Finding]) {
        var lines = findings.flatMap(Self.lines)
        let failed = findings.count { $0.verdict == .fail }
        let warned = findings.count { $0.verdict == .warn }
        lines.append("")
        lines.append(
            failed + warned == 0
                ? "Nothing is wrong."
                : "\(failed) failed, \(warned) to check, \(findings.count - failed - warned) fine.")
        text = lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ finding: Finding) -> [String] {
        let word = finding.verdict == .fail ? "FAIL" : finding.verdict.rawValue
        let head = pad(word, 5) + pad(finding.check, 11)
        var lines = wrap(finding.found, first: head, margin)
        if let remedy = finding.remedy { lines += wrap(remedy, first: margin + "→ ", margin + "  ") }
        return lines
    }

    private static func pad(_ word: String, _ width: Int) -> String {
        word + String(repeating: " ", count: max(1, width - word.count))
    }

    private static func wrap(_ text: String, first: String, _ margin: String) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty && line.count + 1 + word.count > width {
                lines.append(line)
                (line, isEmpty) = (margin, true)
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}
