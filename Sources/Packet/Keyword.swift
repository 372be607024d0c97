/// A choice that people write as a word: in the configuration, on the command line, in JSON, and in metrics.
public protocol Keyword: CaseIterable {
    /// The word, which users rely on.
    var word: String { get }
}

extension Keyword {
    /// The choice that `word` stands for; nil if it stands for none.
    public init?(word: String) {
        guard let choice = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = choice
    }

    /// All words, in the order of the cases.
    public static var words: [String] { allCases.map(\.word) }

    /// All words, as an error lists them: `primary, backup, metered or never`.
    public static var listed: String {
        guard let last = words.last else { return "" }
        return words.count == 1 ? last : words.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension Keyword where Self: RawRepresentable, RawValue == String {
    /// The raw value.
    public var word: String { rawValue }
}
