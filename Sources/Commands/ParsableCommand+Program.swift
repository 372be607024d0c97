import ArgumentParser
import Glibc
import Runtime
import Settings

extension ParsableCommand {
    /// Runs a command as the whole program. Exits 0 on success, 1 on failure, which includes output that cannot be written,
    /// and 2 on wrong usage; errors are one sentence on stderr, after the program's name.
    /// - Parameter hints: words that users of other programs try first, and what to run instead.
    package static func runAsProgram(hints: [String: String] = [:]) -> Never {
        // A reader that has closed its end of a pipe is an error like any other.
        signal(SIGPIPE, SIG_IGN)
        StandardOutput.writeLinesAtOnce()
        let given = Array(CommandLine.arguments.dropFirst())
        let words = CommandWords(given, root: self, hints: hints)
        let report = ErrorReport(program: _commandName, isJSON: ErrorReport.wantsJSON(given))
        if let problem = words.problem { report.endAsWrongUsage(problem, of: words.path) }
        do {
            var command = try parseAsRoot(words.arguments)
            try command.run()
            try StandardOutput.finish()
        } catch let code as ExitCode {
            // The message has already been printed.
            do { try StandardOutput.finish() } catch { report.end("\(error)") }
            Glibc.exit(code.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code.isSuccess {
                print(fullMessage(for: error))
            } else if code == .validationFailure {
                report.endAsWrongUsage(message(for: error) + advice(on: error), of: words.path)
            } else {
                report.end(message(for: error))
            }
        }
        do { try StandardOutput.finish() } catch { report.end("\(error)") }
        Glibc.exit(0)
    }

    /// The argument's help, if the message only says that a value is invalid or missing: ` (…)`.
    private static func advice(on error: any Error) -> String {
        // The message already lists the words of an enumeration.
        if message(for: error).contains("Please provide one of") { return "" }
        let prefix = "Help:"
        let lines = fullMessage(for: error).split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.hasPrefix(prefix) }) else { return "" }
        // `Help:  --ttl <ttl>  How long …`
        let text = line.dropFirst(prefix.count).drop { $0 == " " }
        guard let gap = text.firstRange(of: "  ") else { return "" }
        let help = text[gap.upperBound...].drop { $0 == " " }
        return help.isEmpty ? "" : " (\(help.last == "." ? help.dropLast() : help))"
    }
}

/// The exit of a failed program: one sentence on stderr.
struct ErrorReport {
    let program: String
    /// Whether to print it as a line of JSON, like the log's.
    let isJSON: Bool

    /// Whether the command line requests JSON.
    static func wantsJSON(_ words: [String]) -> Bool {
        words.contains("--log-format=json")
            || zip(words, words.dropFirst()).contains { $0 == ("--log-format", "json") }
    }

    /// Exits with 2.
    func endAsWrongUsage(_ sentence: String, of command: String) -> Never {
        var sentence = Self.oneLine(sentence)
        while sentence.last == "." { sentence.removeLast() }
        write("\(sentence)\(sentence.last == "?" ? " See" : "; see") \(command) --help")
        Glibc.exit(2)
    }

    /// Exits with 1.
    func end(_ sentence: String) -> Never {
        write(Self.oneLine(sentence))
        Glibc.exit(1)
    }

    private func write(_ sentence: String) {
        // Flush earlier output first.
        try? StandardOutput.finish()
        if isJSON { return Log(level: .error, format: .json)(.error, sentence, ["program": program]) }
        let line = Array("\(Log.errorPrefix)\(program): \(sentence)\n".utf8)
        _ = Glibc.write(STDERR_FILENO, line, line.count)
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
