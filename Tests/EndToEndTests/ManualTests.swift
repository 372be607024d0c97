import Foundation
import Lab
import Testing

/// The manual pages and shell completions, as packaged. Needs no privilege.
@Suite("Manual", .timeLimit(.minutes(1))) struct ManualTests {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        .standardized.path

    private struct Dump: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        struct Argument: Decodable {
            var names: [Name]?
            var shouldDisplay: Bool
        }
        struct Command: Decodable {
            var commandName: String
            var arguments: [Argument]?
            var subcommands: [Command]?
        }
        var command: Command
    }

    private func page(_ arguments: [String]) throws -> String {
        let text = try Child.run(["\(source)/packaging/man/generate"] + arguments)
        // groff warns about what would confuse readers.
        let groff = try Child(["groff", "-man", "-ww", "-Tutf8", "-P-cbou"], input: .text(text))
        #expect(try groff.wait(seconds: 10) == .exited(0) && groff.errors.isEmpty, "\(groff.errors)")
        return groff.output
    }

    @Test func thePageHasEveryCommandAndOption() throws {
        let bondd = try Program().path
        let page = try page(["commands", bondd, "\(source)/packaging/man/bondd.8.in"])
        let dump = try JSONDecoder().decode(
            Dump.self, from: Data(try Child.run([bondd, "--experimental-dump-help"]).utf8))
        #expect(!page.contains("@"), "a placeholder is left")
        let commands = (dump.command.subcommands ?? []).filter { $0.commandName != "help" }
        #expect(commands.count >= 6)
        for command in commands {
            let heading = "   bondd \(command.commandName)"
            let section = try #require(page.split(separator: heading).dropFirst().first, "\(heading)")
            for argument in command.arguments ?? [] where argument.shouldDisplay {
                let names = argument.names ?? []
                // Every command has these.
                if names.contains(where: { $0.name == "help" || $0.name == "version" }) { continue }
                for name in names {
                    let dashes = name.kind == "long" ? "--" : "-"
                    #expect(section.contains("\(dashes)\(name.name)"), "\(heading) \(name.name)")
                }
            }
            for inner in command.subcommands ?? [] where inner.commandName != "help" {
                #expect(page.contains("\(heading) \(inner.commandName)"))
            }
        }
    }

    @Test func theReferenceIsAPageToo() throws {
        let page = try page(["keys", "\(source)/docs/configuration.md"])
        for word in ["[tunnel]", "kill_switch", "[[rule]]", "proxy_protocol", "Default: \"bond0\"."] {
            #expect(page.contains(word), "\(word)")
        }
        #expect(!page.contains("`") && !page.contains("| "))
    }

    @Test func completionsAreSound() throws {
        let bondd = try Program().path
        for shell in ["bash", "zsh", "fish"] {
            let script = try Child.run([bondd, "--generate-completion-script", shell])
            #expect(script.contains("status") && script.contains("watch"), "\(shell)")
            // Shells that are not installed are skipped.
            if shell == "bash" || access("/usr/bin/\(shell)", X_OK) == 0 {
                let child = try Child([shell, "-n"], input: .text(script))
                #expect(try child.wait(seconds: 5) == .exited(0) && child.errors.isEmpty, "\(child.errors)")
            }
        }
    }
}
