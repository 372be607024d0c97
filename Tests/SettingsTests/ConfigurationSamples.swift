import TestSupport
import Testing

@testable import Settings

/// An invalid configuration and the sentence about it.
struct BadConfiguration: Sendable, CustomTestStringConvertible {
    let text: String
    let sentence: String
    var testDescription: String { sentence }
}

/// Valid and invalid configurations, and the key files that they name.
struct ConfigurationSamples {
    static let key = (0..<32).map { UInt8($0) }
    static let publicKey = Base64.encode([UInt8](repeating: 9, count: 32))
    static let otherKey = Base64.encode([UInt8](repeating: 8, count: 32))

    let directory = TemporaryDirectory()

    init() {
        directory.file("client.key", Base64.encode(Self.key) + "\n")
        directory.file("psk", Base64.encode(Self.key) + "\n")
        directory.file("open.key", Base64.encode(Self.key) + "\n", mode: 0o644)
    }

    func read(_ text: String) throws(ConfigurationError) -> Configuration {
        try Configuration(text: text, file: directory.path + "/bondd.toml")
    }

    /// The error as it reads if the configuration is named `bondd.toml`.
    func relative(_ error: ConfigurationError) -> String {
        var sentence = error.description
        while let range = sentence.firstRange(of: directory.path + "/") { sentence.removeSubrange(range) }
        return sentence
    }

    static let client = """
        [tunnel]
        role = "client"
        private_key_file = "client.key"
        [server]
        public_key = "\(publicKey)"
        endpoints = ["203.0.113.7:5000"]
        [[path]]
        interface = "eth0"
        """

    static let server = """
        [tunnel]
        role = "server"
        address = ["10.77.0.1/24"]
        private_key_file = "client.key"
        [listen]
        addresses = ["0.0.0.0:5000"]
        [[client]]
        name = "laptop"
        public_key = "\(publicKey)"
        address = ["10.77.0.2"]
        """

    /// The client with a line replaced, or more at its end.
    private static func client(_ line: Int, _ text: String, _ sentence: String) -> BadConfiguration {
        changed(client, line, text, sentence)
    }

    static func server(_ line: Int, _ text: String, _ sentence: String) -> BadConfiguration {
        changed(server, line, text, sentence)
    }

    private static func changed(_ whole: String, _ line: Int, _ text: String, _ sentence: String)
        -> BadConfiguration
    {
        var lines = whole.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if line <= lines.count { lines[line - 1] = text } else { lines.append(text) }
        return BadConfiguration(text: lines.joined(separator: "\n"), sentence: sentence)
    }

    private static let clientRole = "role = \"client\""
    private static let noHost =
        "is not HOST:PORT such as 203.0.113.7:5000, [2001:db8::7]:5000 or vpn.example.org:5000"
    private static let noInterface =
        "is not an interface's name; use 1 to 15 ASCII characters without '/', ':', '%' and spaces"

    static let bad: [BadConfiguration] = general + clientOnly + serverOnly

    private static let general = [
        BadConfiguration(
            text: "", sentence: "bondd.toml: table [tunnel] is missing; it sets this host's role"),
        BadConfiguration(
            text: "tunnel = 3",
            sentence: "bondd.toml:1: [tunnel] must be a table; write [tunnel] on its own line"),
        BadConfiguration(
            text: "[tunnel]\n",
            sentence: "bondd.toml:1: [tunnel] needs role = \"client\" or role = \"server\""),
        BadConfiguration(
            text: "[tunnels]\n",
            sentence:
                "bondd.toml:1: unknown table or key \"tunnels\"; use class, client, discovery, health, lan, listen, nat, "
                + "offer, path, portunus, rule, server and tunnel"),
        client(
            2, "role = \"peer\"", "bondd.toml:2: [tunnel] role = \"peer\" is not a role; use client or server"
        ),
        client(2, "role = 7", "bondd.toml:2: [tunnel] role = 7 must be text in quotes"),
        client(
            2, clientRole + "\nmode = \"fast\"",
            "bondd.toml:3: [tunnel] mode = \"fast\" is not a mode; use auto, stripe, preferred, redundant or throughput"
        ),
        client(
            2, clientRole + "\nmdoe = \"auto\"",
            "bondd.toml:3: [tunnel] has no key \"mdoe\"; use address, buffer_mb, cipher, dns, interface, kill_switch, kill_switch_lan, mode, mtu, offload, "
                + "private_key_file, redundant_paths, role, routes and threads"),
        client(
            2, clientRole + "\nthreads = 9",
            "bondd.toml:3: [tunnel] threads = 9 must be a whole number from 0 to 8"),
        client(
            2, clientRole + "\nthreads = \"two\"",
            "bondd.toml:3: [tunnel] threads = \"two\" must be a whole number from 0 to 8"),
        client(
            2, clientRole + "\nmtu = 9000",
            "bondd.toml:3: [tunnel] mtu = 9000 must be a whole number from 576 to 1900"),
        client(
            2, clientRole + "\nbuffer_mb = 3",
            "bondd.toml:3: [tunnel] buffer_mb = 3 must be a whole number from 4 to 1024"),
        client(
            2, clientRole + "\nbuffer_mb = 1025",
            "bondd.toml:3: [tunnel] buffer_mb = 1025 must be a whole number from 4 to 1024"),
        client(
            2, clientRole + "\nmtu = 575",
            "bondd.toml:3: [tunnel] mtu = 575 must be a whole number from 576 to 1900"),
        client(
            2, clientRole + "\nmtu = 1400.0",
            "bondd.toml:3: [tunnel] mtu = 1400.0 must be a whole number from 576 to 1900"),
        client(
            2, clientRole + "\nmtu = 1279\naddress = [\"fd77::2/64\"]",
            "bondd.toml:3: [tunnel] mtu = 1279 is too small for IPv6, which needs 1280 (RFC 8200)"),
        client(
            2, clientRole + "\nmtu = 1279\nroutes = [\"::/0\"]",
            "bondd.toml:3: [tunnel] mtu = 1279 is too small for IPv6, which needs 1280 (RFC 8200)"),
        client(
            2, clientRole + "\ncipher = \"rot13\"",
            "bondd.toml:3: [tunnel] cipher = \"rot13\" is not a cipher; use chacha20-poly1305 or aes-256-gcm"),
        client(
            2, clientRole + "\ninterface = \"sixteen-letters-\"",
            "bondd.toml:3: [tunnel] interface = \"sixteen-letters-\" \(noInterface)"),
        client(
            2, clientRole + "\ninterface = \"a/b\"",
            "bondd.toml:3: [tunnel] interface = \"a/b\" \(noInterface)"),
        client(
            2, clientRole + "\naddress = [\"10.77.0.2/24\",\n\"10.77.0.2/33\"]",
            "bondd.toml:4: [tunnel] address = \"10.77.0.2/33\" is not ADDRESS/PREFIX such as 10.77.0.2/24"),
        client(
            2, clientRole + "\naddress = [\"10.77.0.2/24\", \"10.77.0.2/16\"]",
            "bondd.toml:3: [tunnel] address = \"10.77.0.2/16\" is listed twice; remove one"),
        client(
            2, clientRole + "\naddress = \"10.77.0.2/24\"",
            "bondd.toml:3: [tunnel] address = \"10.77.0.2/24\" must be an array of texts, [\"…\", …]"),
        client(
            3, "",
            "bondd.toml:1: [tunnel] needs private_key_file = \"FILE\"; make one with: bondd keygen --out FILE"
        ),
        client(
            3, "private_key_file = \"none.key\"",
            "bondd.toml:3: [tunnel] private_key_file = \"none.key\" cannot be used: "
                + "could not read the key file none.key: No such file or directory"),
        client(
            3, "private_key_file = \"open.key\"",
            "bondd.toml:3: [tunnel] private_key_file = \"open.key\" cannot be used: "
                + "the key file open.key can be read by others; run: chmod 600 open.key"),
        client(
            9, "[health]\nlisten = \"8098\"",
            "bondd.toml:10: [health] listen = \"8098\" is not ADDRESS:PORT such as 127.0.0.1:8098"),
        client(
            9, "[health]\nlisten = \"0.0.0.0:8098\"",
            "bondd.toml:10: [health] listen = \"0.0.0.0:8098\" can be reached from elsewhere; "
                + "add token_file = \"FILE\" with a token in it, or listen on 127.0.0.1"),
        client(
            2, clientRole + "\nrole = \"server\"",
            "bondd.toml:3: is not valid TOML at column 8: cannot redefine existing string 'role'; remove one of the two"
        ),
    ]

    private static let clientOnly = [
        client(
            7, "[#path]",
            "bondd.toml:7: is not valid TOML at column 1: a key or the name of a table is expected"),
        client(
            2, clientRole + "\nroutes = [\"10.1.0.0/8\"]",
            "bondd.toml:3: [tunnel] routes = \"10.1.0.0/8\" has host bits set; write 10.0.0.0/8"),
        client(
            2, clientRole + "\ndns = [\"one.one\"]",
            "bondd.toml:3: [tunnel] dns = \"one.one\" is not an address such as 10.77.0.1"),
        client(
            4, "[listen]",
            "bondd.toml:4: [listen] is a server's table; remove it or correct the role"),
        client(
            9, "[[client]]\nname = \"x\"",
            "bondd.toml:9: [[client]] is a server's table; remove it or correct the role"),
        client(
            5, "public_key = \"AAAA\"",
            "bondd.toml:5: [server] public_key = \"AAAA\" is not a key; it must be 32 bytes in base64 (44 characters)"
        ),
        client(
            5, "",
            "bondd.toml:4: [server] needs public_key = \"…\"; the other end prints it with: bondd pubkey < FILE"
        ),
        client(6, "", "bondd.toml:4: [server] needs endpoints = [\"HOST:PORT\", …]"),
        client(6, "endpoints = []", "bondd.toml:4: [server] needs endpoints = [\"HOST:PORT\", …]"),
        client(
            6, "endpoints = [\"203.0.113.7\"]", "bondd.toml:6: [server] endpoints = \"203.0.113.7\" \(noHost)"
        ),
        client(6, "endpoints = [\"a.b:0\"]", "bondd.toml:6: [server] endpoints = \"a.b:0\" \(noHost)"),
        client(
            6, "endpoints = [\"a.b:65536\"]", "bondd.toml:6: [server] endpoints = \"a.b:65536\" \(noHost)"),
        client(
            6, "endpoints = [\"1.2.3.400:5\"]", "bondd.toml:6: [server] endpoints = \"1.2.3.400:5\" \(noHost)"
        ),
        client(
            6, "endpoints = [\"2001:db8::7:5\"]",
            "bondd.toml:6: [server] endpoints = \"2001:db8::7:5\" \(noHost)"),
        client(
            6, "endpoints = [\"a.b:5\", \"a.b:5\"]",
            "bondd.toml:6: [server] endpoints = \"a.b:5\" is listed twice; remove one"),
        client(
            6, "endpoints = [\"a.b:5\", 5]",
            "bondd.toml:6: [server] endpoints = 5 in the array must be text in quotes"),
        client(
            8, "", "bondd.toml:7: [[path]] needs interface = \"NAME\", or mac or device to name the hardware"),
        client(
            8, "interface = \"bond0\"",
            "bondd.toml:8: [[path]] interface = \"bond0\" is the tunnel itself; name an uplink"),
        client(
            9, "role = \"spare\"",
            "bondd.toml:9: [[path]] role = \"spare\" is not a role; use primary, backup, metered or never"),
        client(9, "cap_mbit = -1", "bondd.toml:9: [[path]] cap_mbit = -1 must be a number from 0 to 1000000"),
        client(
            9, "cap_mbit = nan", "bondd.toml:9: [[path]] cap_mbit = nan must be a number from 0 to 1000000"),
        client(
            9, "name = \"a b\"",
            "bondd.toml:9: [[path]] name = \"a b\" is not a name; use at most 63 letters, digits, '-', '_' and '.'"
        ),
        client(
            9, "[[path]]\ninterface = \"eth0\"",
            "bondd.toml:9: [[path]] name \"eth0\" is used twice; give every path its own"),
        client(
            9, "mac = \"52:54:00:12:34:56\"",
            "bondd.toml:8: [[path]] interface = \"eth0\" is named twice; keep one of interface, mac and device"
        ),
        client(
            8, "mac = \"52:54:00:12:34\"",
            "bondd.toml:8: [[path]] mac = \"52:54:00:12:34\" is not a hardware address such as 52:54:00:12:34:56"
        ),
        client(
            8, "device = \"a b\"",
            "bondd.toml:8: [[path]] device = \"a b\" is not a hardware location; use the bus-info of ethtool -i, such as usb-0000:00:14.0-1.4"
        ),
        client(7, "[path]", "bondd.toml:7: [path] is an array of tables; write [[path]]"),
        client(
            9, "gateway = \"eth0\"",
            "bondd.toml:9: [[path]] gateway = \"eth0\" is not a router's address such as 192.168.8.1"),
        client(
            9, "gateway = [\"192.0.2.1\", \"192.0.2.2\"]",
            "bondd.toml:9: [[path]] gateway = \"192.0.2.2\" is a second one of its family; keep one"),
        client(9, "[lan]", "bondd.toml:9: [lan] needs interfaces = [\"br0\"], the LAN's interface"),
        client(
            9, "[lan]\ninterfaces = [\"eth0\"]",
            "bondd.toml:10: [lan] interfaces = \"eth0\" is a path's interface as well; an uplink can't be a LAN, remove one of the two"
        ),
        client(
            9, "[lan]\ninterfaces = [\"bond0\"]",
            "bondd.toml:10: [lan] interfaces = \"bond0\" is the tunnel itself; name the LAN's interface"),
        client(
            9, "[lan]\ninterfaces = [\"br 0\"]",
            "bondd.toml:10: [lan] interfaces = \"br 0\" is not an interface's name; use at most 15 ASCII characters without '/', ':' and spaces"
        ),
        BadConfiguration(
            text: client.split(separator: "\n").prefix(3).joined(separator: "\n"),
            sentence:
                "bondd.toml: table [server] is missing; a client needs the server's public_key and endpoints"
        ),
    ]

    private static let serverOnly = [
        server(
            11, "[lan]\ninterfaces = [\"br0\"]",
            "bondd.toml:11: [lan] is a client's table; remove it or correct the role"),
        server(
            11, "networks = [\"192.168.50.0/24\", \"192.168.50.128/25\"]",
            "bondd.toml:11: [[client]] networks = \"192.168.50.128/25\" overlaps 192.168.50.0/24, also of this client; remove one of the two"
        ),
        server(
            11, "networks = [\"10.77.0.0/16\"]",
            "bondd.toml:11: [[client]] networks = \"10.77.0.0/16\" overlaps the tunnel's network 10.77.0.0/24; use another network behind the client"
        ),
        server(
            11,
            "networks = [\"10.1.0.0/16\"]\n[[client]]\nname = \"x\"\npublic_key = \"\(otherKey)\"\naddress = [\"10.77.0.3\"]\nnetworks = [\"10.1.2.0/24\"]",
            "bondd.toml:16: [[client]] networks = \"10.1.2.0/24\" overlaps 10.1.0.0/16, which is behind the client \"laptop\"; a network can be behind only one client"
        ),
        server(
            2, "role = \"server\"\nroutes = []",
            "bondd.toml:3: [tunnel] routes = an array is a client's key; remove it"),
        server(
            2, "role = \"server\"\nkill_switch = true",
            "bondd.toml:3: [tunnel] kill_switch = true is a client's key; remove it"),
        server(
            11, "[[path]]\ninterface = \"eth0\"",
            "bondd.toml:11: [[path]] is a client's table; remove it or correct the role"),
        server(
            3, "",
            "bondd.toml:1: [tunnel] needs address = [\"ADDRESS/PREFIX\"]; a server's clients are in its network"
        ),
        server(6, "", "bondd.toml:5: [listen] needs addresses = [\"0.0.0.0:5000\", \"[::]:5000\"]"),
        server(
            6, "addresses = [\"*:5000\"]",
            "bondd.toml:6: [listen] addresses = \"*:5000\" is not ADDRESS:PORT such as 0.0.0.0:5000 or [::]:5000"
        ),
        server(8, "", "bondd.toml:7: [[client]] needs name = \"NAME\""),
        server(10, "", "bondd.toml:7: [[client]] needs address = [\"ADDRESS\"]"),
        server(
            10, "address = [\"10.78.0.2\"]",
            "bondd.toml:10: [[client]] address = \"10.78.0.2\" is not in the tunnel's network; use one of 10.77.0.0/24"
        ),
        server(
            10, "address = [\"10.77.0.1\"]",
            "bondd.toml:10: [[client]] address = \"10.77.0.1\" is taken by the server or another client; use another"
        ),
        server(
            11, "[[client]]\nname = \"laptop\"",
            "bondd.toml:12: [[client]] name = \"laptop\" is used twice; give every client its own"),
        server(
            11, "[[client]]\nname = \"b\"\npublic_key = \"\(publicKey)\"",
            "bondd.toml:13: [[client]] public_key = \"\(publicKey)\" is another client's too; every client makes its own"
        ),
        server(
            11, "[[client]]\nname = \"b\"\npublic_key = \"\(otherKey)\"\naddress = [\"10.77.0.2\"]",
            "bondd.toml:14: [[client]] address = \"10.77.0.2\" is taken by the server or another client; use another"
        ),
        server(11, "[nat]\nenabled = 1", "bondd.toml:12: [nat] enabled = 1 must be true or false"),
        server(
            11, "[portunus]\nallow_outside = 1",
            "bondd.toml:12: [portunus] allow_outside = 1 must be true or false"),
        server(
            11, "[[rule]]\nname = \"web\"",
            "bondd.toml:11: [[rule]] needs protocol = \"tcp\" or protocol = \"udp\""),
        server(
            11, "[[rule]]\nname = \"web\"\nprotocol = \"tcp\"\nlisten_port = 80\nlisten_ports = \"80-81\"",
            "bondd.toml:11: [[rule]] has listen_port and listen_ports; remove one"),
        server(
            11, "[[rule]]\nname = \"web\"\nprotocol = \"tcp\"\nlisten_ports = \"81-80\"",
            "bondd.toml:14: [[rule]] listen_ports = \"81-80\" is not \"FIRST-LAST\""),
        server(
            11,
            "[[rule]]\nname = \"web\"\nprotocol = \"tcp\"\nlisten_ports = \"80-82\"\ntarget = \"a.b:1-2\"",
            "bondd.toml:15: [[rule]] target = \"a.b:1-2\" must have as many ports as the rule listens on"),
        BadConfiguration(
            text: server.split(separator: "\n").prefix(4).joined(separator: "\n"),
            sentence:
                "bondd.toml: table [listen] is missing; write addresses = [\"0.0.0.0:5000\", \"[::]:5000\"] in it"
        ),
    ]
}
