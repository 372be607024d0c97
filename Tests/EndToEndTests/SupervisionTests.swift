import Foundation
import Lab
import Testing

extension EndToEndTests {
    /// bondd's messages to a service manager (sd_notify), and the effect of its settings: groups and the journal.
    @Suite("Supervision", .lane(.waitingToo)) struct Supervision {
        /// A socket like systemd's.
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

            /// The next message; nil if none arrives within `seconds`.
            func next(within seconds: Double = 5) -> String? {
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&watched, 1, Int32(seconds * 1000)) > 0 else { return nil }
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = recv(descriptor, &bytes, bytes.count, 0)
                return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            }

            /// The first message containing `word`; nil if none arrives soon.
            func first(with word: String) -> String? {
                for _ in 0..<100 {
                    guard let message = next() else { return nil }
                    if message.contains(word) { return message }
                }
                return nil
            }
        }

        /// A server's files, and the command that starts it.
        private func server(threads: Int? = nil) throws -> (scratch: Scratch, arguments: [String]) {
            let scratch = try Scratch()
            let bondd = try Program().path
            _ = try Child.run([bondd, "keygen", "--out", "\(scratch.path)/key"])
            var text = ServerFile()
            text.threads = threads
            let file = try scratch.write(text.text, to: "bondd.toml")
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
            // Two notifications in each interval, and none while the loop hangs.
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

        /// Each thread in turn hangs, and the test acts as the service manager that restarts bondd.
        @Test(arguments: ["bondd", "data 0", "data 2"]) func aThreadThatHangsIsNamedAndEndsTheSigns(
            thread: String
        ) throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server(threads: 3)
            let name = "\(scratch.path)/notify"
            let listener = try Listener(name)
            let period = 3.0
            let environment = [
                "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "\(Int(period * 1e6))", "WATCHDOG_PID": "",
                // A debug build's own backtrace would wait for the hanging thread.
                "SWIFT_BACKTRACE": "enable=no",
            ]
            let namespace = try lab.namespace("server")
            let child = try Child(arguments, in: namespace, environment: environment)
            defer { child.kill() }
            #expect(listener.first(with: "READY=1") != nil)
            #expect(listener.first(with: "WATCHDOG=1") != nil)

            let stopped = try StoppedThread(thread, of: child)
            let called = thread == "bondd" ? "the main thread" : "data thread \(thread.suffix(1))"
            try child.waitForOutput("\(called) hangs: its loop has made no turn", seconds: 2 * period)
            // Notifications sent before the hang was noticed, and none after that.
            while listener.next(within: 0) != nil {}
            #expect(listener.next(within: period / 2) == nil)

            // One that resumes in time is forgiven.
            stopped.resume()
            #expect(listener.first(with: "WATCHDOG=1") != nil)
            try child.waitForOutput("\(called) is running again", seconds: 1)

            let again = try StoppedThread(thread, of: child)
            defer { again.resume() }
            if thread == "bondd" {
                // systemd.service(5): WatchdogSignal.
                child.signal(SIGABRT)
                #expect(try child.wait(seconds: 3) == .signalled(SIGABRT))
            } else {
                // The main thread answers without it, after a second the first time and at once from then on.
                let ask = [arguments[0], "status", "--json", "--socket", "\(scratch.path)/run/sock"]
                let first = try Child.run(ask, in: namespace)
                #expect(first.contains("\(called) has not answered for a second"))
                let start = Clock.monotonic
                #expect(try Child.run(ask, in: namespace).contains("\(called) has not answered"))
                #expect(Clock.monotonic - start < 0.8)
                child.signal(SIGTERM)
                again.end(within: 6)
                #expect(try child.wait(seconds: 1) == .exited(1))
                #expect(child.errors.contains("\(called) hangs and is left behind"))
            }
            let next = try Child(arguments, in: namespace, environment: environment)
            defer { next.kill() }
            #expect(listener.first(with: "READY=1") != nil)
        }

        /// Keys must not be in core dumps and swap; a container may forbid locking memory.
        @Test(arguments: [true, false]) func keysStayInMemory(mayLock: Bool) throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server()
            defer { withExtendedLifetime(scratch) {} }
            let capabilities = "-all,+net_admin,+net_raw" + (mayLock ? ",+ipc_lock" : "")
            let limits = [
                "setpriv", "--inh-caps=-all", "--no-new-privs", "--bounding-set=\(capabilities)",
            ]
            let child = try Child(
                ["prlimit", "--memlock=8388608"] + limits + arguments, in: lab.namespace("server"))
            defer { child.kill() }
            try child.waitForOutput("bondd is running", seconds: 5)
            let place = "/proc/\(child.pid)"
            #expect(
                try String(contentsOfFile: "\(place)/limits", encoding: .utf8)
                    .contains(#/Max core file size +0 +0/#))
            // PR_SET_DUMPABLE: processes of the same user with the same capabilities cannot inspect it.
            let look = try Child(limits + ["cat", "\(place)/maps"])
            #expect(try look.wait(seconds: 5) != .exited(0))
            // With cat, as Foundation reads only the first page of a file without a size.
            let memory = try Child.run(["cat", "\(place)/smaps"])
            // Each mapping's first line, and its last.
            var mapping = ""
            var writable = 0
            for line in memory.split(separator: "\n") {
                if line.contains(#/^[0-9a-f]+-[0-9a-f]+ /#) { mapping = String(line) }
                guard line.hasPrefix("VmFlags:"), mapping.contains(" rw-p ") else { continue }
                writable += 1
                let isLocked = line.split(separator: " ").contains("lo")
                #expect(isLocked == mayLock, "\(mapping)")
            }
            #expect(writable > 5)
            #expect(child.errors.contains("not kept out of swap") != mayLock)
        }

        @Test func withoutAManagerNothingIsSaid() throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (scratch, arguments) = try server()
            let listener = try Listener("\(scratch.path)/notify")
            // The watchdog belongs to another process.
            let child = try Child(
                arguments, in: lab.namespace("server"),
                environment: [
                    "NOTIFY_SOCKET": "\(scratch.path)/notify", "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1",
                ])
            defer { child.kill() }
            #expect(listener.next()?.hasPrefix("READY=1") == true)
            #expect(listener.next(within: 0.5) == nil)
        }

        /// As run by packaging/systemd/bondd.service: two capabilities, and a group that may use the socket.
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

        /// Lines have their priority in the journal, in either format, and so do the last ones.
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
            #expect(lines.contains { $0.hasPrefix(start) }, "\(lines)")
            let end = format == "text" ? "<3>bondd: " : "<3>{\"time\":"
            #expect(lines.last?.hasPrefix(end) == true, "\(lines)")
        }
    }
}
