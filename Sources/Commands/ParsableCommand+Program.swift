import ArgumentParser
import Glibc
import Settings

extension ParsableCommand {
    /// Runs a command as a program's whole life. Exits 0 on success, 1 on failure, 2 on wrong usage; errors are one sentence on
    /// stderr, behind the program's name.
    public static func runAsProgram() -> Never {
        // A reader that has gone away, as of a pipe, is an error like any other.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            if code.isSuccess {
                print(fullMessage(for: error))
                Glibc.exit(0)
            }
            let name = configuration.commandName ?? ""
            let isUsage = code == .validationFailure
            let hint = isUsage ? "; see \(name) --help" : ""
            let sentence = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            let line = Array("\(Log.errorPrefix)\(name): \(sentence)\(hint)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            Glibc.exit(isUsage ? 2 : 1)
        }
        Glibc.exit(0)
    }
}
