@testable import Settings

extension ConfigurationSamples {
    /// What is wrong with a rule for the TCP port that `text` names.
    private static func rule(_ text: String, _ line: Int, _ problem: String) -> BadConfiguration {
        server(
            11, "[[rule]]\nname = \"web\"\nprotocol = \"tcp\"\n" + text,
            "bondd.toml:\(line): " + (problem.hasPrefix("[[") ? problem : "[[rule]] " + problem))
    }

    /// As `bad`, of services.
    static let badRules: [BadConfiguration] = [
        rule(
            "listen_ports = \"1-1025\"", 14,
            "listen_ports = \"1-1025\" are 1025 ports; a rule has at most 1024"),
        rule(
            "listen_port = 80\nlisten_address = \"eth0\"\ntarget = \"a.b:1\"", 15,
            "listen_address = \"eth0\" is not an address of this host such as 203.0.113.7; correct it, or remove it to listen on every one"
        ),
        rule(
            "listen_port = 80\ntarget = \"a.b:1\"\n[[rule]]\nname = \"other\"\nprotocol = \"tcp\"\nlisten_port = 80\nlisten_address = \"192.0.2.1\"\ntarget = \"a.b:1\"",
            16,
            "[[rule]] \"other\" and \"web\" both listen on tcp port 80, one on every address; give both a listen_address, or use another port"
        ),
        rule(
            "listen_ports = \"80-82\"\ntarget = \"a.b:1\"", 15,
            "target = \"a.b:1\" must have as many ports as the rule listens on"),
        rule(
            "listen_ports = \"80-82\"\ntargets = [{ host = \"a.b\", port = 1 }]", 11,
            "has listen_ports and targets; a range of ports has one target = \"HOST:FIRST-LAST\""),
        rule(
            "listen_port = 80\ntarget = \"a.b:1\"\nserver_name = \"*.com\"", 16,
            "server_name = \"*.com\" is not a name such as host.example or *.example.org"),
        rule(
            "listen_ports = \"80-81\"\ntarget = \"a.b:1-2\"\nserver_name = \"a.b\"", 16,
            "server_name = \"a.b\" is for tcp rules with one port; remove it"),
        rule(
            "listen_port = 80\ntarget = \"10.77.0.1:1\"", 11,
            "\"web\" leads to 10.77.0.1, which is this server itself; name a client's address, or add allow_outside = true"
        ),
        rule(
            "listen_port = 80\ntarget = \"192.0.2.1:1\"", 11,
            "\"web\" leads to 192.0.2.1, which is outside the tunnel; name an address in 10.77.0.0/24, or add allow_outside = true"
        ),
        rule(
            "listen_port = 80\ntarget = \"a.b:1\"\nlimit = { burst_in = 5 }", 16,
            "limit has burst_in without bytes_in; add bytes_in, or remove it"),
        rule(
            "listen_port = 80\ntarget = \"a.b:1\"\nlimit = { bytes = 5 }", 16,
            "limit has no key \"bytes\"; use burst_in, burst_out, bytes_in, bytes_out, connection_burst, connection_rate and connections"
        ),
        rule(
            "listen_port = 80\ntargets = [{ host = \"a.b\", port = 1, proxy_protocol = 3 }]", 15,
            "[[targets]] proxy_protocol = 3 is not a version; use \"v1\" or \"v2\""),
        rule(
            "listen_port = 80\ntargets = [{ host = \"a.b\", port = 1 }, { host = \"a.b\", port = 1 }]", 15,
            "[[targets]] a.b with port 1 is listed twice; remove one"),
        rule("listen_port = 80\ntargets = [\(nine)]", 11, "has 9 targets; give 1 to 8"),
        rule(
            "listen_port = 80\ntarget = \"a.b:1\"\n[[rule]]\nname = \"other\"\nprotocol = \"tcp\"\nlisten_ports = \"79-81\"\ntarget = \"a.b:1-3\"",
            16, "\"other\" and \"web\" both listen on tcp port 80; use another port, or server_name"),
        rule(
            "listen_port = 80\ntarget = \"a.b:1\"\nserver_name = \"a.b\"\n[[rule]]\nname = \"other\"\nprotocol = \"tcp\"\nlisten_port = 80\ntarget = \"a.b:1\"\nserver_name = \"A.b\"",
            17, "\"other\" and \"web\" both listen on tcp port 80 for server_name = \"a.b\"; remove one"),
        server(
            11, "[[rule]]\nname = \"7\"\nprotocol = \"tcp\"\nlisten_port = 80",
            "bondd.toml:12: [[rule]] name = \"7\" is a number, as a control plane's rules have; add a letter"),
        server(
            11, "[[rule]]\nname = \"dns\"\nprotocol = \"udp\"\nlisten_port = 5000\ntarget = \"a.b:1\"",
            "bondd.toml:11: [[rule]] \"dns\" listens on udp port 5000, which is bondd's own; use another"),
        server(
            11,
            "[health]\nlisten = \"127.0.0.1:8098\"\n[[rule]]\nname = \"web\"\nprotocol = \"tcp\"\nlisten_ports = \"8090-8099\"\ntarget = \"a.b:1-10\"",
            "bondd.toml:13: [[rule]] \"web\" listens on tcp port 8098, where [health] is served; use another"),
    ]

    /// Nine targets, one more than there may be.
    private static let nine = (1...9).map { "{ host = \"a.b\", port = \($0) }" }.joined(separator: ", ")
}
