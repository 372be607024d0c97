import Foundation
import Lab
import Testing

/// The contract of the command line: 0 on success, 1 on failure, 2 on wrong usage, errors as one sentence on
/// stderr. Needs no privilege.
@Suite("Command line", .lane(.measuring), .timeLimit(.minutes(1))) struct CommandLineTests {
    let bondd: String
    let scratch: Scratch

    init() throws {
        bondd = try Program().path
        scratch = try Scratch()
    }

    private func run(_ arguments: [String], input: String = "") throws -> Child {
        let child = try Child([bondd] + arguments, input: .text(input))
        try child.wait(seconds: 5)
        return child
    }

    private func isOneSentence(_ text: String) -> Bool {
        text.hasPrefix("bondd: ") && text.hasSuffix("\n") && text.split(separator: "\n").count == 1
    }

    @Test(arguments: [
        "", "help foo", "help status foo --socket", "statsu", "up", "stop", "portunus", "--log-format text",
        "invite a --uses 100000000000000000000", "invite a --ttl 24", "invite a --ttl 9999999d",
        "bench --seconds -1", "clients --socket /tmp/x nonsense", "set path.fibre.cap -5 --socket /tmp/x",
        "nonsense", "--nonsense", "run --nonsense", "run extra", "run --config", "status --jsn",
        "status extra", "status --json --watch",
        "set", "set mode", "set mode stripe extra", "keygen extra", "keygen --out", "pubkey extra",
        "unlock extra", "unlock --force", "cleanup extra", "bench --seconds 0", "init extra",
        "init --endpoint nonsense", "init --endpoint 192.0.2.1", "init --endpoint 192.0.2.1:0", "invite",
        "invite a b", "invite a --ttl 5", "invite a --ttl 5s", "invite a --ttl 10y", "invite a --ttl -1h",
        "invite a --uses 0", "invite a --uses 1001", "invite a --mode fast", "invite a --endpoint :5000",
        "join a b", "join --nonsense", "clients nonsense", "clients revoke", "clients revoke a b",
        "clients rename a", "clients rename a b c", "clients list a",
        "services nonsense", "services list a", "services --jsn", "portunus nonsense", "portunus enroll a b",
        "status --log-level loud", "run --log-format xml --check", "--socket /tmp/x", "set path.fibre.cap -1",
    ]) func wrongUsageIsExitCode2(_ line: String) throws {
        let child = try run(line.split(separator: " ").map(String.init))
        #expect(child.status == .exited(2))
        #expect(isOneSentence(child.errors) && child.errors.contains("--help"), "\(child.errors)")
        #expect(child.output.isEmpty)
    }

    @Test(arguments: [
        ("run --config /nonexistent/bondd.toml", "/nonexistent/bondd.toml"),
        ("run --config /nonexistent/bondd.toml", "bondd join LINK"),
        ("run --check --config /nonexistent/bondd.toml", "/nonexistent/bondd.toml"),
        ("run --check --config /dev/null", "[tunnel]"),
        ("status --socket /nonexistent/sock", "/nonexistent/sock"),
        ("status --json --socket /nonexistent/sock", "bondd run"),
        ("status --watch --socket /nonexistent/sock", "bondd run"),
        ("set mode stripe --socket /nonexistent/sock", "/nonexistent/sock"),
        ("set mode stripe --socket /dev/null", "/dev/null"),
        ("keygen --out /nonexistent/key", "/nonexistent/key"),
        ("pubkey", "bondd keygen"), ("join", "begins with bondd://"),
        ("join nonsense", "begins with bondd://"), ("join bondd://AAAA", "damaged"),
        ("init --config /dev/null", "is set up already"),
        ("init --config /nonexistent/bondd/bondd.toml", "can't be written"),
        ("invite a --socket /nonexistent/sock", "/nonexistent/control.sock"),
        ("clients --socket /nonexistent/sock", "bondd-control run"),
        ("clients revoke a --socket /nonexistent/sock", "/nonexistent/control.sock"),
        ("clients rename a b --socket /dev/sock", "/dev/control.sock"),
        ("services --socket /nonexistent/sock", "bondd-control run"),
        ("services list --json --socket /nonexistent/sock", "/nonexistent/control.sock"),
        ("portunus enroll nonsense", "beginning with portunus://"),
        ("portunus enroll -", "beginning with portunus://"),
        ("portunus enroll portunus://a:1/enroll --socket /nonexistent/sock", "/nonexistent/control.sock"),
        ("bench --socket /nonexistent/sock", "/nonexistent/sock"),
    ]) func failuresAreExitCode1AndOneSentence(_ line: String, words: String) throws {
        let child = try run(line.split(separator: " ").map(String.init), input: "no key\n")
        #expect(child.status == .exited(1))
        #expect(isOneSentence(child.errors) && child.errors.contains(words), "\(child.errors)")
        #expect(child.output.isEmpty)
    }

    @Test(arguments: [
        "", "run ", "status ", "set ", "bench ", "keygen ", "pubkey ", "unlock ", "cleanup ", "init ",
        "invite ", "join ",
        "clients ", "clients list ", "clients revoke ", "clients rename ", "services ", "services list ",
        "portunus enroll ",
    ])
    func everyCommandHasHelp(_ command: String) throws {
        for flag in ["--help", "-h"] {
            let child = try run((command + flag).split(separator: " ").map(String.init))
            #expect(child.status == .exited(0) && child.errors.isEmpty)
            #expect(child.output.contains("USAGE: bondd"), "\(child.output)")
        }
    }

    /// Mistyped words are answered with a suggestion, values with the valid ones, and all with the command's help.
    @Test(arguments: [
        ("statsu", "did you mean \"status\"? See bondd --help"), ("clinets", "\"clients\""),
        ("up", "systemctl start bondd"), ("logs", "journalctl -u bondd"), ("xyzzy", "keygen or pubkey; see"),
        ("clients rveoke a", "\"revoke\"? See bondd clients --help"), ("help foo", "\"foo\""),
        ("status --jsn", "'--json'? See bondd status --help"), ("invite a --ttl 24", "such as 24h"),
        ("invite a --uses 0", "from 1 to 1000; see bondd invite --help"),
        ("invite a --uses 100000000000000000000", "1 to 1000"), ("init --endpoint nohost", "HOST:PORT"),
        ("set path.fibre.cap -5", "can't be -5"), ("set mode", "stripe"),
        ("status --log-level loud", "warning"),
    ]) func wrongUsageSaysWhatIsRight(_ line: String, words: String) throws {
        let child = try run(line.split(separator: " ").map(String.init))
        #expect(child.status == .exited(2))
        #expect(isOneSentence(child.errors) && child.errors.contains(words), "\(child.errors)")
        #expect(!child.errors.contains(".;") && !child.errors.contains(".."), "\(child.errors)")
    }

    /// ENOSPC and a closed descriptor: a key or a link that could not be printed is lost.
    @Test(
        arguments: ["keygen", "pubkey", "--help", "status --help", "--version", "help"],
        [">/dev/full", ">&-"])
    func outputThatCannotBeWrittenIsAFailure(_ line: String, place: String) throws {
        let child = try Child(
            ["sh", "-c", "exec \(bondd) \(line) \(place)"],
            input: .text("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"))
        try child.wait(seconds: 5)
        #expect(child.status == .exited(1))
        #expect(
            isOneSentence(child.errors) && child.errors.contains("could not be written"), "\(child.errors)")
    }

    @Test func optionsOfAllCommandsMayComeFirst() throws {
        for line in [
            "--socket /nonexistent/sock status",
            "--log-level error --socket=/nonexistent/sock set mode stripe",
            "clients --socket /nonexistent/sock revoke a", "clients --socket /nonexistent/sock",
        ] {
            let child = try run(line.split(separator: " ").map(String.init))
            #expect(child.status == .exited(1) && child.errors.contains("/nonexistent/"), "\(child.errors)")
        }
    }

    @Test func errorsAreJSONWhereTheLogIs() throws {
        for line in [
            "status --log-format json --socket /nonexistent/sock", "run --log-format=json --nonsense",
        ] {
            let child = try run(line.split(separator: " ").map(String.init))
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(child.errors.utf8)) as? [String: Any])
            #expect(object["level"] as? String == "error" && object["message"] is String)
        }
    }

    @Test func theVersionIsPrinted() throws {
        let child = try run(["--version"])
        #expect(child.status == .exited(0) && child.errors.isEmpty)
        #expect(child.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test func keysGoRoundAndAreNeverOverwritten() throws {
        let file = "\(scratch.path)/key"
        let made = try run(["keygen", "--out", file])
        #expect(made.status == .exited(0) && made.errors.isEmpty)
        let key = try String(contentsOfFile: file, encoding: .utf8)
        #expect(key.count == 45 && Data(base64Encoded: String(key.dropLast()))?.count == 32)
        #expect(key != made.output)
        let facts = try FileManager.default.attributesOfItem(atPath: file)
        #expect(facts[.posixPermissions] as? Int == 0o600)
        #expect(try run(["pubkey"], input: key).output == made.output)

        let again = try run(["keygen", "--out", file])
        #expect(again.status == .exited(1) && isOneSentence(again.errors) && again.output.isEmpty)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == key)

        let printed = try run(["keygen"])
        #expect(printed.output.count == 45 && printed.output != key)
        #expect(try run(["pubkey"], input: printed.output).status == .exited(0))
    }

    /// RFC 7748, section 6.1: Alice's keys.
    @Test func publicKeysAreX25519() throws {
        let secret = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
        #expect(
            try run(["pubkey"], input: secret + "\n").output
                == "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n")
    }

    @Test func goodFilesPassTheCheck() throws {
        _ = try run(["keygen", "--out", "\(scratch.path)/key"])
        var server = ServerFile()
        server.clients = [.init(name: "laptop", publicKey: Self.otherKey, addresses: ["10.77.0.2"])]
        var client = ClientFile(serverKey: Self.otherKey)
        client.paths = [.init(interface: "lo", endpoint: "203.0.113.7:5000")]
        for text in [server.text, client.text] {
            let file = try scratch.write(text, to: "bondd.toml")
            let child = try run(["run", "--check", "--config", file])
            #expect(child.status == .exited(0) && child.output == "\(file) is good\n", "\(child.errors)")
            #expect(child.errors.isEmpty, "\(child.errors)")
        }
    }

    /// Alice's public key of RFC 7748, section 6.1, which belongs to no host here.
    static let otherKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="

    /// A configuration that cannot work is refused; one that probably does not work as intended causes a warning.
    @Test(arguments: [
        (
            true, "10.77.0.1/24", "10.77.0.0/24", 1,
            "is the network itself; use an address in it, such as 10.77.0.1/24"
        ),
        (true, "10.77.0.1/24", "10.77.0.255/24", 1, "broadcast"),
        (true, "\"10.77.0.2\"", "\"10.77.0.255\"", 1, "broadcast"),
        (true, "\"10.77.0.2\"", "\"10.77.0.0\"", 1, "is the network itself"),
        (true, otherKey, "OWN", 1, "this server's own key"),
        (false, otherKey, "OWN", 1, "this client's own key"),
        (false, "[server]", "address = [\"10.77.0.255/24\"]\n[server]", 1, "broadcast"),
        (
            false, "[[path]]", "[health]\nlisten = \"127.0.0.1:8098\"\ntoken_file = \"nope\"\n[[path]]", 1,
            "nope\" does not exist"
        ),
        (false, "role = \"primary\"", "role = \"never\"", 0, "every [[path]] has role = \"never\""),
        (false, "interface = \"lo\"", "interface = \"eht7\"", 0, "does not have now"),
        (true, "[listen]", "[nat]\negress = [\"eht7\"]\n[listen]", 0, "[nat] egress names eht7"),
        (true, "10.77.0.1/24", "8.8.8.1/24\", \"10.77.0.1/24", 0, "8.8.8.0/24 is public"),
        (
            true, "[listen]",
            "[[rule]]\nname = \"ssh\"\nprotocol = \"tcp\"\nlisten_port = 22\ntarget = \"10.77.0.2:22\"\n[listen]",
            0,
            "takes TCP port 22"
        ),
    ]) func theCheckFindsWhatCannotWork(isServer: Bool, old: String, new: String, code: Int32, words: String)
        throws
    {
        let own = try run(["keygen", "--out", "\(scratch.path)/key"]).output.dropLast()
        var server = ServerFile()
        server.clients = [.init(name: "laptop", publicKey: Self.otherKey, addresses: ["10.77.0.2"])]
        var client = ClientFile(serverKey: Self.otherKey)
        client.paths = [.init(interface: "lo", endpoint: "203.0.113.7:5000")]
        let good = isServer ? server.text : client.text
        let place = try #require(good.range(of: old), "\(good)")
        let text = good.replacingCharacters(in: place, with: new.replacingOccurrences(of: "OWN", with: own))
        let file = try scratch.write(text, to: "bondd.toml")
        let child = try run(["run", "--check", "--config", file])
        #expect(child.status == .exited(code) && child.errors.contains(words), "\(child.errors)")
        if code == 1 {
            #expect(isOneSentence(child.errors) && child.errors.contains("\(file):"), "\(child.errors)")
        }
    }

    /// The configurations in docs/how-to/by-hand.md are complete.
    @Test func theDocumentedFilesPassTheCheck() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/how-to/by-hand.md")
        _ = try run(["keygen", "--out", "\(scratch.path)/key"])
        let blocks = try String(contentsOf: page, encoding: .utf8).split(separator: "```toml\n").dropFirst()
        #expect(blocks.count == 2)
        for block in blocks {
            let text = block.prefix(upTo: try #require(block.firstRange(of: "```")).lowerBound)
            let placeholder = /THE (CLIENT|SERVER)'S PUBLIC KEY/
            let file = try scratch.write(
                String(text.replacing(placeholder, with: Self.otherKey)), to: "bondd.toml")
            let child = try run(["run", "--check", "--config", file])
            #expect(child.status == .exited(0), "\(child.errors)")
            // Interfaces that this host does not have cause a warning.
            for line in child.errors.split(separator: "\n") {
                #expect(line.contains("does not have now"), "\(line)")
            }
        }
    }

    @Test(arguments: [
        ("role = \"client\"", "role = \"king\"", 2, "client or server"),
        ("mode = \"stripe\"", "mode = \"fast\"", 4, "redundant"),
        ("mode = \"stripe\"", "mode = 7", 4, "mode"),
        ("mode = \"stripe\"", "moed = \"stripe\"", 4, "moed"),
        ("interface = \"bond0\"", "interface = \"a/b\"", 3, "interface"),
        ("192.0.2.1:5000", "192.0.2.1", 9, "HOST:PORT"),
        ("[[path]]", "[[paths]]", 10, "paths"),
        ("role = \"primary\"", "role = \"prime\"", 12, "metered"),
        ("[server]", "[server", 7, "TOML"),
    ]) func badFilesAreRefusedWithFileLineAndAdvice(old: String, new: String, line: Int, words: String) throws
    {
        _ = try run(["keygen", "--out", "\(scratch.path)/key"])
        var client = ClientFile(serverKey: Self.otherKey)
        client.paths = [.init(interface: "eth0", endpoint: "203.0.113.7:5000")]
        let good = client.text
        let place = try #require(good.range(of: old))
        let file = try scratch.write(good.replacingCharacters(in: place, with: new), to: "bondd.toml")
        for arguments in [["run", "--check"], ["run"]] {
            let child = try run(arguments + ["--config", file])
            #expect(child.status == .exited(1))
            #expect(
                isOneSentence(child.errors) && child.errors.contains("\(file):\(line): "), "\(child.errors)")
            #expect(child.errors.contains(words), "\(child.errors)")
        }
    }
}
