import ControlProtocol
import Glibc
import Lab
import Proto
import Settings
import TestSupport
import Testing

@testable import Control

/// The command line of the real bondd-control.
@Suite struct CommandTests {
    let directory = TemporaryDirectory()
    var common: [String] {
        ["--state-dir", directory.path + "/state", "--socket", directory.path + "/bondd.sock"]
    }
    var config: [String] { ["--config", directory.path + "/bondd.toml"] }

    init() { directory.file("bondd.toml", Samples.text()) }

    /// The state's directory is one too deep for `TemporaryDirectory`.
    private func clean() {
        for file in [
            "state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "lock", "state.sqlite.before-restore",
        ] { unlink(directory.path + "/state/" + file) }
    }

    private func run(_ arguments: [String]) throws -> Child {
        let child = try Child([Program.path] + arguments)
        try child.wait(seconds: 20)
        return child
    }

    private func succeed(_ arguments: [String]) throws -> String {
        let child = try run(arguments + common)
        #expect(child.status == .exited(0) && child.errors.isEmpty, "\(child.errors)")
        return child.output
    }

    private func fail(_ arguments: [String], _ words: String) throws {
        let child = try run(arguments + common)
        #expect(child.status == .exited(1) && child.output.isEmpty, "\(arguments)")
        #expect(child.errors.hasPrefix("bondd-control: ") && child.errors.split(separator: "\n").count == 1)
        #expect(child.errors.contains(words), "\(child.errors)")
    }

    @Test(arguments: [
        "nonsense", "--nonsense", "run extra", "run --config", "invite", "invite a b", "invite a --ttl soon",
        "invite a --ttl 5s --config /dev/null",
        "invite a --uses many", "invite a --public-key x", "backup", "backup a b", "restore", "set-endpoints",
        "run --log-level loud",
    ]) func wrongUsageIsExitCode2(_ line: String) throws {
        defer { clean() }
        let child = try run(line.split(separator: " ").map(String.init))
        #expect(child.status == .exited(2) && child.output.isEmpty)
        #expect(child.errors.contains("--help") && child.errors.split(separator: "\n").count == 1)
        #expect(directory.mode(of: "state") == 0)
    }

    @Test func whatCannotBeIsOneSentence() throws {
        defer { clean() }
        let key = Samples.server.base64
        try fail(["run", "--config", "/nonexistent/bondd.toml"], "/nonexistent/bondd.toml")
        try fail(["backup", directory.path + "/copy"], "there is no state in")
        #expect(directory.mode(of: "state") == 0)
        try fail(["restore", "/nonexistent/copy"], "/nonexistent/copy")
        try fail(["restore", directory.path + "/bondd.toml"], "is no backup")
        try fail(["set-endpoints", "nonsense"], "HOST:PORT")
        try fail(["invite", "boat"] + config, "give --public-key")
        try fail(["invite", "boat", "--public-key", key] + config, "--endpoint HOST:PORT")
        let more = ["--public-key", key, "--endpoint", "203.0.113.7:5000"] + config
        try fail(["invite", "a/b"] + more, "is not a name")
        try fail(["invite", "boat", "--uses", "0"] + more, "1 to 1000")
        try fail(["invite", "boat", "--mode", "fast"] + more, "is not a mode")
        directory.file("client.toml", "[tunnel]\nrole = \"client\"\n")
        try fail(["invite", "boat", "--config", directory.path + "/client.toml"], "client.toml")
    }

    @Test func invitationsBackupsAndRestoresWithoutAServer() throws {
        defer { clean() }
        let more = ["--public-key", Samples.server.base64] + config
        _ = try succeed(["set-endpoints", "vpn.example.org:5000"])
        let link = try JoinLink(
            try succeed(["invite", "boat", "--ttl", "2h"] + more))
        #expect(
            link.server == Samples.server && link.endpoints.map(\.description) == ["vpn.example.org:5000"])
        let lifetime = Int(link.expiry) - currentTime()
        #expect((7100...7200).contains(lifetime))
        let copy = directory.path + "/copy"
        _ = try succeed(["backup", copy])
        #expect(directory.mode(of: "copy") == 0o600)
        try fail(["backup", copy], "exists and is not overwritten")
        // The key is known from now on.
        _ = try succeed(["invite", "ship"] + config)
        try fail(["invite", "ship"] + config, "there is an open invitation")
        _ = try succeed(["restore", copy])
        _ = try succeed(["invite", "ship"] + config)
    }

    @Test func whatRunsIsNotDisturbed() throws {
        let child = try Child([Program.path, "run", "--user", "nobody"] + config + common)
        defer {
            child.kill()
            clean()
        }
        try child.waitForOutput("bondd-control runs", seconds: 20)
        if geteuid() == 0 { try expectNobody(child.pid) }
        try fail(["run", "--user", "nobody"] + config, "a bondd-control runs on the state")
        try fail(["invite", "boat", "--public-key", Samples.server.base64] + config, "use bondd invite boat")
        try fail(["restore", directory.path + "/copy"], "systemctl stop bondd-control")
        _ = try succeed(["set-endpoints", "203.0.113.7:5000"])
        _ = try succeed(["backup", directory.path + "/copy"])
        #expect(directory.mode(of: "copy") == 0o600)
        try fail(["backup", directory.path + "/copy"], "exists and is not overwritten")
        #expect(child.isRunning && child.stop(within: 5).isSuccess)
        #expect(directory.mode(of: "control.sock") == 0)
    }

    /// Started as root, it runs as another user with one capability, and its files belong to that user.
    private func expectNobody(_ process: pid_t) throws {
        let status = try TextFile.read("/proc/\(process)/status", limit: 1 << 16)
        for line in ["Uid:\t65534\t65534\t65534\t65534", "CapEff:\t0000000000000400", "NoNewPrivs:\t1"] {
            #expect(status.contains(line), "\(status)")
        }
        for file in ["state", "state/state.sqlite", "state/lock", "control", "control/control.sock"] {
            var facts = stat()
            #expect(stat(directory.path + "/" + file, &facts) == 0 && facts.st_uid == 65534, "\(file)")
        }
    }

    /// It does not run as root unless told to.
    @Test(.enabled(if: geteuid() == 0, "needs root")) func rootIsRefusedOrAsked() throws {
        defer { clean() }
        try fail(["run", "--user", "root"] + config, "the user root is root")
        try fail(["run", "--user", "no-such-user"] + config, "there is no user no-such-user")
        let child = try Child([Program.path, "run", "--as-root"] + config + common)
        defer { child.kill() }
        try child.waitForOutput("runs as root, as --as-root says", seconds: 20)
    }

    /// On a client there is nothing to do without [health], which is not an error.
    @Test func aClientHasNoState() throws {
        directory.file(
            "client.toml",
            """
            [tunnel]
            role = "client"
            private_key_file = "nowhere"
            [server]
            public_key = "\(Samples.server.base64)"
            endpoints = ["203.0.113.7:5000"]
            [[path]]
            interface = "eth0"
            """)
        let child = try run(["run", "--config", directory.path + "/client.toml"] + common)
        #expect(child.status == .exited(0) && child.errors.contains("has nothing for bondd-control to do"))
        #expect(directory.mode(of: "state") == 0)
    }
}
