extension TOMLSyntaxError {
    /// The parser's reason without its context, and a remedy if the line suggests one.
    /// - Parameter text: the whole file.
    func sentence(in text: String) -> String {
        "is not valid TOML at column \(column): \(reason)\(advice(on: text))"
    }

    /// The parser's sentence without its prefix `Error while parsing array: `.
    private var reason: Substring {
        guard problem.hasPrefix("Error while parsing"), let colon = problem.firstRange(of: ": ") else {
            return problem[...]
        }
        return problem[colon.upperBound...]
    }

    private func advice(on text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return "" }
        let text = lines[line - 1]
        if text.contains(where: { "“”„‟″«»".contains($0) }) { return "; write straight quotes: \"…\"" }
        if text.contains(where: { "‘’‚′".contains($0) }) { return "; write straight quotes: '…'" }
        if problem.contains("array") { return "; an array is written [\"a\", \"b\"], with commas between" }
        if problem.contains("redefine") { return "; remove one of the two" }
        if text.contains("=") && !text.contains("\"") && !text.contains("[") {
            return "; text is written in quotes: key = \"…\""
        }
        return ""
    }
}
