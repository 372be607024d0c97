import CToml

/// A TOML value and the line it begins on.
struct TOMLValue {
    enum Content {
        case string(String)
        case integer(Int64)
        case boolean(Bool)
        case float(Double)
        case date
        case array([TOMLValue])
        /// The keys in file order.
        case table([(key: String, value: TOMLValue)])
    }

    var content: Content
    let line: Int

    /// Parses a whole text. Lines and columns in errors count from 1.
    static func parse(_ text: String) throws(TOMLSyntaxError) -> TOMLValue {
        var text = text
        guard
            let document = text.withUTF8({ bytes in
                bytes.withMemoryRebound(to: CChar.self) { ctoml_parse($0.baseAddress, $0.count) }
            })
        else { throw TOMLSyntaxError(problem: "there is not enough memory to parse it", line: 1, column: 1) }
        defer { ctoml_free(document) }
        var line: UInt32 = 0
        var column: UInt32 = 0
        if let problem = ctoml_error(document, &line, &column) {
            throw TOMLSyntaxError(problem: String(cString: problem), line: Int(line), column: Int(column))
        }
        // Children come after their parents: going backwards, every value is complete when its parent takes it.
        var children: [Int: [TOMLValue]] = [:]
        var keys: [Int: [String]] = [:]
        for index in stride(from: ctoml_count(document) - 1, through: 0, by: -1) {
            let entry = ctoml_value_at(document, index)
            let key = entry.key.map { string($0, entry.key_length) } ?? ""
            let value = TOMLValue(
                entry, items: (children[index] ?? []).reversed(), keys: (keys[index] ?? []).reversed())
            children[Int(entry.parent), default: []].append(value)
            keys[Int(entry.parent), default: []].append(key)
        }
        let root = zip((keys[-1] ?? []).reversed(), (children[-1] ?? []).reversed())
        return TOMLValue(content: .table(root.map { (key: $0, value: $1) }), line: 1)
    }

    private init(content: Content, line: Int) {
        self.content = content
        self.line = line
    }

    private init(_ entry: ctoml_value, items: [TOMLValue], keys: [String]) {
        line = Int(entry.line)
        switch ctoml_kind(rawValue: UInt32(entry.kind)) {
        case CTOML_TABLE: content = .table(zip(keys, items).map { (key: $0, value: $1) })
        case CTOML_ARRAY: content = .array(items)
        case CTOML_STRING: content = .string(Self.string(entry.string, entry.string_length))
        case CTOML_INTEGER: content = .integer(entry.integer)
        case CTOML_BOOLEAN: content = .boolean(entry.integer != 0)
        case CTOML_FLOAT: content = .float(entry.floating)
        default: content = .date
        }
    }

    private static func string(_ bytes: UnsafePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// The value as shown in an error, truncated to 60 characters.
    var shown: String {
        let whole =
            switch content {
            case .string(let text): "\"\(text)\""
            case .integer(let number): "\(number)"
            case .boolean(let flag): "\(flag)"
            case .float(let number): "\(number)"
            case .date: "a date"
            case .array: "an array"
            case .table: "a table"
            }
        return whole.count > 60 ? whole.prefix(57) + "…\"" : whole
    }
}

/// A TOML syntax error.
struct TOMLSyntaxError: Error {
    let problem: String
    let line: Int
    let column: Int
}

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
