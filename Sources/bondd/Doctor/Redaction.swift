import Settings

/// Takes secrets out of text: those that are known, and all that looks like one.
struct Redaction {
    /// What stands in their place.
    static let mark = "[removed]"

    /// Texts that are secret, longest first.
    private let secrets: [String]
    /// Public keys in base64, which look as private ones do.
    private let publicKeys: Swift.Set<String>

    /// - Parameters:
    ///   - secrets: contents of key and token files, whole.
    ///   - publicKeys: in base64.
    init(secrets: [String], publicKeys: Swift.Set<String>) {
        // What is shorter is no secret of ours, and would tear words apart.
        self.secrets = secrets.filter { $0.utf8.count >= 8 }.sorted { $0.utf8.count > $1.utf8.count }
        self.publicKeys = publicKeys.subtracting(secrets)
    }

    /// The text without them.
    func clean(_ text: String) -> String {
        var text = text
        for secret in secrets { text = text.replacing(secret, with: Self.mark) }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map {
            Self.words(of: $0).map(clean(word:)).joined()
        }
        .joined(separator: "\n")
    }

    /// A configuration's lines, comments left out, as anything may stand there; values of keys that hold secrets removed.
    func clean(configuration text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            let line = Self.withoutComment(line)
            guard let equals = line.firstIndex(of: "=") else { return String(line) }
            let key = line[..<equals].lowercased().filter { !$0.isWhitespace }
            let isSecret =
                ["secret", "token", "password", "psk", "private", "preshared", "code", "link", "uri"].contains
            { key.contains($0) }
                && !key.hasSuffix("_file")
            return isSecret ? "\(line[..<equals])= \"\(Self.mark)\"" : String(line)
        }
        return clean(lines.joined(separator: "\n"))
    }

    /// Without `# …` that is not in quotes.
    private static func withoutComment(_ line: Substring) -> Substring {
        var quote: Character?
        for index in line.indices {
            let character = line[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "#" {
                return line[..<index]
            }
        }
        return line
    }

    /// Runs of what base64, hexadecimal numbers and links are made of, and what is between them.
    private static func words(of line: Substring) -> [Substring] {
        var words: [Substring] = []
        var start = line.startIndex
        for index in line.indices where index > start {
            if isPart(line[index]) != isPart(line[start]) {
                words.append(line[start..<index])
                start = index
            }
        }
        words.append(line[start...])
        return words
    }

    private static func isPart(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "+/=_-.:?&%".contains(character))
    }

    private func clean(word: Substring) -> String {
        if let scheme = ["bondd://", "portunus://"].first(where: { word.contains($0) }),
            let range = word.firstRange(of: scheme)
        {
            return "\(word[..<range.upperBound])\(Self.mark)"
        }
        // Names, paths and addresses have other characters between shorter pieces.
        let pieces = word.split(omittingEmptySubsequences: false) { ".:?&%_-".contains($0) }
        guard pieces.contains(where: { looksSecret($0) }) else { return String(word) }
        return publicKeys.contains(String(word)) ? String(word) : Self.mark
    }

    /// Whether it is as long as a key of 32 bytes, or some 16 of them, in base64 or hexadecimal digits.
    private func looksSecret(_ piece: Substring) -> Bool {
        let body = piece.prefix { $0 != "=" }
        if publicKeys.contains(String(piece)) { return false }
        if body.count >= 32 && body.allSatisfy(\.isHexDigit) { return true }
        // Paths have slashes at short distances; a key has capitals, small letters and digits.
        let longest = body.split(separator: "/").map(\.count).max() ?? 0
        return body.count >= 40 && longest >= 12 && body.contains { $0.isUppercase }
            && body.contains { $0.isLowercase }
            && body.contains { $0.isNumber }
    }
}
