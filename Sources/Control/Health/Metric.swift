/// One metric with all its samples, in the Prometheus text format 0.0.4.
struct Metric {
    enum Kind: String {
        /// Only increases until the program restarts. The name ends with `_total`.
        case counter
        case gauge
    }

    let name: String
    let kind: Kind
    let help: String
    private var samples: [String] = []
    private var known: Set<String> = []

    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = "bondd_" + name
        self.kind = kind
        self.help = help
    }

    /// Adds a sample; one with the same labels as an earlier one is dropped, because scrapers reject pages with
    /// duplicates.
    mutating func add(_ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        guard value.isFinite else { return }
        let text = labels.isEmpty ? "" : "{" + labels.map(Self.label).joined(separator: ",") + "}"
        guard known.insert(text).inserted else { return }
        // Whole numbers are written without ".0", which is easier to read.
        let number = Int64(exactly: value).map(String.init) ?? "\(value)"
        samples.append("\(name)\(text) \(number)\n")
    }

    mutating func add(_ value: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
        add(Double(value), labels)
    }

    mutating func add(_ isTrue: Bool, _ labels: KeyValuePairs<String, String> = [:]) {
        add(isTrue ? 1.0 : 0, labels)
    }

    /// The metric's text; empty without samples.
    var text: String {
        guard !samples.isEmpty else { return "" }
        return "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n" + samples.joined()
    }

    private static func label(_ key: String, _ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return "\(key)=\"\(escaped)\""
    }
}
