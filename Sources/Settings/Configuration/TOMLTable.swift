import Packet

/// One table of the configuration: reads keys as their expected types and reports errors with their location.
struct TOMLTable {
    let file: String
    /// The table's name in errors, `[tunnel]` or `[[path]]`; empty for the whole file.
    let label: String
    let line: Int
    private let values: [(key: String, value: TOMLValue)]

    /// - Throws: unless `value` is a table whose keys are all in `keys`.
    init(_ value: TOMLValue, file: String, label: String, keys: [String]) throws(ConfigurationError) {
        self.file = file
        self.label = label
        line = value.line
        guard case .table(let values) = value.content else {
            throw ConfigurationError(
                file: file, line: value.line,
                problem: "\(label) must be a table; write \(label) on its own line")
        }
        self.values = values
        for (key, value) in values where !keys.contains(key) {
            let what = label.isEmpty ? "unknown table or key \"\(key)\"" : "\(label) has no key \"\(key)\""
            throw ConfigurationError(
                file: file, line: value.line, problem: "\(what); use \(Self.list(keys.sorted()))")
        }
    }

    subscript(key: String) -> TOMLValue? { values.first { $0.key == key }?.value }

    /// An error about the value of `key`: `LABEL KEY = VALUE PROBLEM`.
    func error(_ key: String, _ value: TOMLValue, _ problem: String) -> ConfigurationError {
        ConfigurationError(
            file: file, line: value.line, problem: "\(prefix)\(key) = \(value.shown) \(problem)")
    }

    /// An error about the table itself or a missing key: `LABEL PROBLEM`.
    func error(_ problem: String) -> ConfigurationError {
        ConfigurationError(file: file, line: line, problem: "\(prefix)\(problem)")
    }

    private var prefix: String { label.isEmpty ? "" : label + " " }

    func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value.content else {
            throw error(key, value, "must be text in quotes")
        }
        guard !text.isEmpty else { throw error(key, value, "must not be empty") }
        return text
    }

    func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .boolean(let flag) = value.content else {
            throw error(key, value, "must be true or false")
        }
        return flag
    }

    func integer(_ key: String, in range: ClosedRange<Int64>) throws(ConfigurationError) -> Int? {
        guard let value = self[key] else { return nil }
        guard case .integer(let number) = value.content, range.contains(number) else {
            throw error(key, value, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    /// As `integer`, of a type without negative numbers.
    func unsigned<Number: FixedWidthInteger & UnsignedInteger>(
        _ key: String, in range: ClosedRange<Number>
    ) throws(ConfigurationError) -> Number? {
        try integer(key, in: Int64(range.lowerBound)...Int64(range.upperBound)).map { Number($0) }
    }

    /// Reads a number, with or without a fraction.
    func number(_ key: String, in range: ClosedRange<Double>) throws(ConfigurationError) -> Double? {
        guard let value = self[key] else { return nil }
        let number: Double? =
            switch value.content {
            case .integer(let whole): Double(whole)
            case .float(let number): number
            default: nil
            }
        guard let number, range.contains(number) else {
            let bounds = "\(Int(range.lowerBound)) to \(Int(range.upperBound))"
            throw error(key, value, "must be a number from \(bounds)")
        }
        return number
    }

    /// The whole numbers of an array.
    func integers(_ key: String, in range: ClosedRange<Int64>) throws(ConfigurationError) -> [Int]? {
        guard let value = self[key] else { return nil }
        guard case .array(let items) = value.content else {
            throw error(key, value, "must be an array of numbers, [\(range.lowerBound), …]")
        }
        var numbers: [Int] = []
        for item in items {
            guard case .integer(let number) = item.content, range.contains(number) else {
                throw error(
                    key, item,
                    "in the array must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            numbers.append(Int(number))
        }
        return numbers
    }

    /// The texts of an array, each with its own line; nil if the key is missing.
    func strings(_ key: String) throws(ConfigurationError) -> [(text: String, value: TOMLValue)]? {
        guard let value = self[key] else { return nil }
        guard case .array(let items) = value.content else {
            throw error(key, value, "must be an array of texts, [\"…\", …]")
        }
        var texts: [(text: String, value: TOMLValue)] = []
        for item in items {
            guard case .string(let text) = item.content, !text.isEmpty else {
                throw error(key, item, "in the array must be text in quotes")
            }
            texts.append((text, item))
        }
        return texts
    }

    /// The array's items as converted by `convert`; `problem` describes those it rejects. No two items may be
    /// equal.
    func list<Item: Equatable>(
        _ key: String, _ problem: String, _ convert: (String) -> Item?
    ) throws(ConfigurationError) -> [Item]? {
        guard let texts = try strings(key) else { return nil }
        var items: [Item] = []
        for (text, value) in texts {
            guard let item = convert(text) else { throw error(key, value, problem) }
            guard !items.contains(item) else { throw error(key, value, "is listed twice; remove one") }
            items.append(item)
        }
        return items
    }

    /// One of the words of `type`.
    func choice<Choice: Keyword>(
        _ key: String, _ kind: String, of type: Choice.Type
    ) throws(ConfigurationError) -> Choice? {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(word: text) else {
            throw error(key, self[key]!, "is not a \(kind); use \(Choice.listed)")
        }
        return choice
    }

    /// The tables of an array of tables such as `[[path]]`, in order.
    func tables(_ key: String, keys: [String]) throws(ConfigurationError) -> [TOMLTable] {
        guard let value = self[key] else { return [] }
        let label = "[[\(key)]]"
        guard case .array(let items) = value.content else {
            throw ConfigurationError(
                file: file, line: value.line, problem: "[\(key)] is an array of tables; write \(label)")
        }
        var tables: [TOMLTable] = []
        for item in items { tables.append(try TOMLTable(item, file: file, label: label, keys: keys)) }
        return tables
    }

    /// A table such as `[tunnel]`; nil if it is missing.
    func table(_ key: String, keys: [String]) throws(ConfigurationError) -> TOMLTable? {
        guard let value = self[key] else { return nil }
        return try TOMLTable(value, file: file, label: "[\(key)]", keys: keys)
    }

    /// `a, b and c`
    static func list(_ words: [String], last: String = "and") -> String {
        guard words.count > 1, let end = words.last else { return words.first ?? "none" }
        return words.dropLast().joined(separator: ", ") + " \(last) " + end
    }
}
