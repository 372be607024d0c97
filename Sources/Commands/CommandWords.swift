import ArgumentParser

/// The words of a command line before ArgumentParser reads them: the command they name, and the answer to a mistyped one.
///
/// It also permits global options before a subcommand, and negative numbers as values.
struct CommandWords {
    /// The command with its parents, as the user types it: `bondd clients revoke`.
    private(set) var path: String
    /// The words for ArgumentParser.
    private(set) var arguments: [String] = []
    /// Why they do not name a command, in one sentence; nil if they do.
    private(set) var problem: String?

    private static let globalOptions = ["--socket", "--log-level", "--log-format"]

    /// - Parameters:
    ///   - words: the command line without the program's name.
    ///   - root: the program's command.
    ///   - hints: words that users of other programs try first, and what to run instead.
    init(_ words: [String], root: any ParsableCommand.Type, hints: [String: String]) {
        path = Self.name(of: root)
        var command: any ParsableCommand.Type = root
        var rest = words[...]
        var globals: [String] = []
        while !command.configuration.subcommands.isEmpty {
            Self.takeGlobals(&rest, into: &globals)
            let hasDefault = command.configuration.defaultSubcommand != nil
            guard let word = rest.first, !word.hasPrefix("-") else {
                // ArgumentParser would print the help and succeed.
                if rest.isEmpty && !hasDefault { problem = Self.missing(in: command) }
                if !hasDefault { globals = [] }
                break
            }
            if word == "help" && arguments.isEmpty {
                problem = Self.problem(ofHelp: rest.dropFirst(), root, hints)
                break
            }
            guard let next = Self.subcommand(word, of: command) else {
                problem = Self.unknown(word, in: command, hints)
                break
            }
            command = next
            path += " \(Self.name(of: next))"
            arguments.append(Self.name(of: next))
            rest = rest.dropFirst()
        }
        arguments += globals + Self.protectingNumbers(Array(rest))
    }

    // MARK: - Rewriting

    private static func takeGlobals(_ rest: inout ArraySlice<String>, into globals: inout [String]) {
        while let word = rest.first, let option = globalOptions.first(where: { word.hasPrefix($0) }) {
            if word.dropFirst(option.count).hasPrefix("=") {
                globals.append(word)
                rest = rest.dropFirst()
            } else if word == option, rest.count > 1 {
                globals += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                return
            }
        }
    }

    /// `-5` is the value of a preceding option, or an argument, and never a flag.
    private static func protectingNumbers(_ words: [String]) -> [String] {
        guard !words.contains("--") else { return words }
        var kept: [String] = []
        var numbers: [String] = []
        for word in words {
            guard word.count > 1, word.hasPrefix("-"), word.dropFirst().first?.isNumber == true else {
                kept.append(word)
                continue
            }
            if let option = kept.last, option.hasPrefix("--"), !option.contains("=") {
                kept[kept.count - 1] = "\(option)=\(word)"
            } else {
                numbers.append(word)
            }
        }
        return numbers.isEmpty ? kept : kept + ["--"] + numbers
    }

    // MARK: - Errors

    private static func name(of command: any ParsableCommand.Type) -> String { command._commandName }

    private static func subcommand(
        _ word: String, of command: any ParsableCommand.Type
    ) -> (any ParsableCommand.Type)? {
        command.configuration.subcommands.first {
            name(of: $0) == word || $0.configuration.aliases.contains(word)
        }
    }

    private static func names(in command: any ParsableCommand.Type) -> [String] {
        command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { name(of: $0) }
    }

    private static func list(_ words: [String]) -> String {
        words.count > 1
            ? words.dropLast().joined(separator: ", ") + " or \(words[words.count - 1])" : words.first ?? ""
    }

    private static func missing(in command: any ParsableCommand.Type) -> String {
        "a command is missing; use \(list(names(in: command)))"
    }

    private static func unknown(
        _ word: String, in command: any ParsableCommand.Type, _ hints: [String: String]
    ) -> String {
        let lead = "unknown command \"\(word)\""
        if let hint = hints[word.lowercased()] { return "\(lead); run: \(hint)" }
        let names = names(in: command)
        let nearest = names.map { (name: $0, distance: distance(word.lowercased(), $0)) }
            .min { $0.distance < $1.distance }
        // Two typing errors, but not in half of a short word.
        if let nearest, nearest.distance <= min(2, word.count / 2) {
            return "\(lead); did you mean \"\(nearest.name)\"?"
        }
        return "\(lead); use \(list(names))"
    }

    private static func problem(
        ofHelp words: ArraySlice<String>, _ root: any ParsableCommand.Type, _ hints: [String: String]
    ) -> String? {
        var command = root
        for word in words where !word.hasPrefix("-") {
            guard let next = subcommand(word, of: command) else {
                return command.configuration.subcommands.isEmpty ? nil : unknown(word, in: command, hints)
            }
            command = next
        }
        return nil
    }

    /// The edit distance of two words: insertions, deletions, substitutions and transpositions (Damerau 1964, the restricted form).
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        // A command line may be megabytes long, but no command's name is.
        guard a.count <= 32, b.count <= 32 else { return .max }
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(row[j], rows[i][j + 1]) + 1
                best = min(best, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
