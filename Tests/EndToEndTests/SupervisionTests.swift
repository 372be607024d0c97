import Foundation
import Lab
import Testing

extension EndToEndTests {
    /// What a service manager hears of bondd (sd_notify), and what its settings do: groups and the journal.
    @Suite("Supervision") struct Supervision {
        /// A socket as systemd's.
        final class Listener {
            let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

            init(_ name: String) throws {
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                let bytes = Array(name.utf8)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
                let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
                let code = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
                }
                try #require(code == 0)
            }

            deinit { close(descriptor) }

            /// The next message; nil when none comes in `seconds`.
            func next(within seconds: Double = 5) -> String? {
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&watched, 1, Int32(seconds * 1000)) > 0 else { return nil }
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = recv(descriptor, &bytes, bytes.count, 0)
                return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            }

            /// The first message with `word` in it; nil when none comes soon.
            func first(with word: String) -> String? {
                for _ in 0..<100 {
                    guard let message = next() else { return nil }
                    if message.contains(word) { return message }
                }
                return nil
            }
        }

        /// A server's files, and what starts it.
        private func server() throws -> (scratch: Scratch, arguments: [String]) {
            let scratch = try Scratch()
            let bondd = try Program().path
            _ = try Child.run([bondd, "keygen", "--out", "\(scratch.path)/key"])
            let file = try scratch.write(ServerFile().text, to: "bondd.toml")
            return (
                scratch,
                [
                    bondd, "run", "--config", file, "--socket", "\(scratch.path)/run/sock", "--state-dir",
                    "\(scratch.path)/state",
                ]
            )
        }

        @Test func theManagerHearsHowItIs() throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server()
            let name = "\(scratch.path)/notify"
            let listener = try Listener(name)
            let child = try Child(
                arguments, in: lab.namespace("server"),
                environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000", "WATCHDOG_PID": ""])
            defer { child.kill() }
            let ready = try #require(listener.next())
            #expect(ready.hasPrefix("READY=1\nSTATUS=server on bond0"))
            // Two signs an interval, and none while the loop stands.
            let start = Date()
            for _ in 0..<5 { #expect(listener.next() == "WATCHDOG=1") }
            #expect(abs(Date().timeIntervalSince(start) - 1) < 0.3)
            child.signal(SIGSTOP)
            while listener.next(within: 0.05) != nil {}
            #expect(listener.next(within: 0.5) == nil)
            child.signal(SIGCONT)
            #expect(listener.first(with: "WATCHDOG=1") != nil)
            child.signal(SIGHUP)
            #expect(listener.first(with: "RELOADING=1")?.contains("MONOTONIC_USEC=") == true)
            #expect(listener.next()?.hasPrefix("READY=1") == true)
            child.signal(SIGTERM)
            #expect(listener.first(with: "STOPPING=1") != nil)
            #expect(try child.wait(seconds: 3) == .exited(0))
        }

        @Test func withoutAManagerNothingIsSaid() throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server()
            let listener = try Listener("\(scratch.path)/notify")
            // The watchdog is another process's.
            let child = try Child(
                arguments, in: lab.namespace("server"),
                environment: [
                    "NOTIFY_SOCKET": "\(scratch.path)/notify", "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1",
                ])
            defer { child.kill() }
            #expect(listener.next()?.hasPrefix("READY=1") == true)
            #expect(listener.next(within: 0.5) == nil)
        }

        /// As packaging/systemd/bondd.service runs it: two capabilities, and a group that may use the socket.
        @Test func theServiceNeedsTwoCapabilitiesAndItsGroupMayUseTheSocket() throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server()
            let unit = [
                "setpriv", "--egid", "12345", "--keep-groups", "--inh-caps=-all", "--no-new-privs",
                "--bounding-set=-all,+net_admin,+net_raw",
            ]
            let child = try Child(unit + arguments, in: lab.namespace("server"))
            defer { child.kill() }
            try child.waitForOutput("bondd is running", seconds: 5)
            for (path, mode) in [("run", 0o750), ("run/sock", 0o660)] {
                let facts = try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/\(path)")
                #expect(facts[.posixPermissions] as? Int == mode, "\(path)")
                #expect(facts[.groupOwnerAccountID] as? Int == 12345, "\(path)")
            }
        }

        /// Lines have their priority in the journal, in either format, and the last words, too.
        @Test(arguments: ["text", "json"]) func theJournalGetsPriorities(format: String) throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server()
            let journal = try scratch.write("", to: "journal")
            let environment = "JOURNAL_STREAM=$(stat -c %d:%i \(journal))"
            let line = arguments.joined(separator: " ") + " --log-format \(format)"
            let child = try Child(
                [
                    "sh", "-c",
                    "\(environment) \(line) 2>>\(journal) & sleep 1; kill $!; wait; "
                        + "\(environment) \(line) --config /nonexistent 2>>\(journal)",
                ], in: lab.namespace("server"))
            #expect(try child.wait(seconds: 5) == .exited(1))
            let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
            let start = format == "text" ? "<6>bondd is running" : "<6>{\"time\":"
            #expect(lines.first?.hasPrefix(start) == true, "\(lines)")
            let end = format == "text" ? "<3>bondd: " : "<3>{\"time\":"
            #expect(lines.last?.hasPrefix(end) == true, "\(lines)")
        }
    }
}
