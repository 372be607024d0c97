import Settings

/// Removes secrets from text: the known ones, and everything that looks like one.
struct Redaction {
    /// The text that replaces them.
    static let mark = "[removed]"

    /// Secret texts, longest first.
    private let secrets: [String]
    /// Public keys in base64, which look like private ones.
    private let publicKeys: Set<String>

    /// - Parameters:
    ///   - secrets: complete contents of key and token files.
    ///   - publicKeys: in base64.
    init(secrets: [String], publicKeys: Set<String>) {
        // Shorter texts are not our secrets, and removing them would mangle words.
        self.secrets = secrets.filter { $0.utf8.count >= 8 }.sorted { $0.utf8.count > $1.utf8.count }
        self.publicKeys = publicKeys.subtracting(secrets)
    }

    /// The text without secrets.
    func clean(_ text: String) -> String {
        var text = text
        for secret in secrets { text = text.replacing(secret, with: Self.mark) }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map {
            Self.words(of: $0).map(clean(word:)).joined()
        }
        .joined(separator: "\n")
    }

    /// A configuration's lines without comments, which may hold anything, and without the values of keys that
    /// hold secrets.
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

    /// The line without a `# …` outside quotes.
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

    /// Runs of base64 characters, hexadecimal numbers and links, and the runs between them.
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
        // In names, paths and addresses, other characters separate shorter pieces.
        let pieces = word.split(omittingEmptySubsequences: false) { ".:?&%=".contains($0) }
        guard pieces.contains(where: { looksSecret($0) }) else { return String(word) }
        return Self.mark
    }

    /// Whether the piece is as long as a 32-byte key, or at least about 16 bytes of one, in base64 or
    /// hexadecimal digits.
    private func looksSecret(_ piece: Substring) -> Bool {
        if publicKeys.contains("\(piece)=") { return false }
        if piece.count >= 32 && piece.allSatisfy(\.isHexDigit) { return true }
        // Paths and names have separators at short distances; a key mixes capitals, small letters and digits.
        let longest = piece.split { "/-_".contains($0) }.map(\.count).max() ?? 0
        return piece.count >= 40 && longest >= 12 && piece.contains { $0.isUppercase }
            && piece.contains { $0.isLowercase }
            && piece.contains { $0.isNumber }
    }
}
