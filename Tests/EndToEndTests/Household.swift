import Glibc
import Lab
import Testing

/// The starting point of a new user: an internet host, a server behind it, and clients with two uplinks each;
/// nothing is set up.
///
///     internet ── wan ── server ── fibre, lte ── client
final class Household {
    /// One host set up by bondd, with its files and the processes started there.
    final class Host {
        let namespace: Namespace
        let scratch: Scratch
        private let bondd: String
        /// The processes started by bondd's commands, and by the test.
        private var processes: [String: pid_t] = [:]
        private var children: [String: Child] = [:]

        init(_ namespace: Namespace, _ bondd: String) throws {
            self.namespace = namespace
            self.bondd = bondd
            scratch = try Scratch()
        }

        /// The user that bondd-control becomes, so that no test creates a user.
        static let controlUser = "nobody"

        var socket: String { "\(scratch.path)/run/bondd.sock" }
        var config: String { "\(scratch.path)/etc/bondd.toml" }
        var state: String { "\(scratch.path)/state" }

        /// Runs a command of bondd with this host's socket.
        @discardableResult func command(_ arguments: [String], seconds: Double = 60) throws -> Child {
            let child = try namespace.spawn([bondd] + arguments + ["--socket", socket])
            try child.wait(seconds: seconds)
            note(child.output)
            return child
        }

        /// Starts a command of bondd.
        func begin(_ arguments: [String]) throws -> Child {
            try namespace.spawn([bondd] + arguments + ["--socket", socket])
        }

        /// Records the processes that a command reports as started.
        func note(_ output: String) {
            for line in output.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count > 4, words[1...3].elementsEqual(["runs", "as", "process"]) else { continue }
                processes[String(words[0])] = pid_t(words[4].prefix { $0.isNumber })
            }
        }

        /// Starts one of the two programs by hand, as after a boot.
        func start(_ name: String) throws {
            let program = name == "bondd" ? bondd : try Program("bondd-control").path
            let directory = name == "bondd" ? state : "\(state)/control"
            children[name] = try namespace.spawn([
                program, "run", "--config", config, "--socket", socket, "--state-dir", directory,
                name == "bondd" ? "--control-user" : "--user", Self.controlUser,
            ])
        }

        /// The process of one of the two programs.
        func process(_ name: String) -> pid_t? { children[name]?.pid ?? processes[name] }

        /// The configuration's text.
        func text() throws -> String { try namespace.run(["cat", config]) }

        /// Replaces it.
        func write(_ text: String) throws {
            let child = try namespace.spawn(["cp", try scratch.write(text, to: "edited.toml"), config])
            try child.wait(seconds: 5)
        }

        /// Sends a signal to one of the two programs.
        func signal(_ name: String, _ signal: Int32) {
            if let child = children[name] {
                child.signal(signal)
            } else if let id = processes[name] {
                kill(id, signal)
            }
        }

        /// Sends a signal to one of the two programs and waits until it is gone.
        func end(_ name: String, _ signal: Int32 = SIGTERM) {
            if let child = children.removeValue(forKey: name) {
                child.signal(signal)
                _ = try? child.wait(seconds: 5)
                child.kill()
                return
            }
            guard let process = processes.removeValue(forKey: name) else { return }
            kill(process, signal)
            for _ in 0..<500 where kill(process, 0) == 0 && !Self.hasEnded(process) { usleep(10_000) }
            kill(process, SIGKILL)
        }

        func isRunning(_ name: String) -> Bool {
            children[name]?.isRunning ?? processes[name].map { kill($0, 0) == 0 && !Self.hasEnded($0) }
                ?? false
        }

        /// Whether it has ended without being waited for, because its parent is gone. The main thread may have
        /// ended while others have not, which keep the tunnel's interface and the sockets.
        private static func hasEnded(_ process: pid_t) -> Bool {
            guard let file = fopen("/proc/\(process)/stat", "re") else { return true }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            guard fgets(&line, Int32(line.count), file) != nil else { return true }
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            // From the state on; the number of threads is the 18th field (proc(5): state is the third, num_threads
            // the 20th).
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.first == "Z" && fields.count > 17 && fields[17] == "1"
        }

        /// Its recent log.
        func log(_ name: String) -> String {
            let file = (try? namespace.run(["sh", "-c", "tail -n 40 '\(state)/\(name).log'"])) ?? ""
            return file + (children[name]?.errors ?? "")
        }

        /// Everything that bondd may change on a host: nftables, sysctls, routes and rules.
        func surface() throws -> [String] {
            let parameters =
                "cd /proc/sys/net && grep -s . ipv4/ip_forward ipv?/conf/*/forwarding ipv6/conf/*/accept_ra ipv4/conf/*/rp_filter"
            var texts = [
                try namespace.run(["nft", "-s", "list", "ruleset"]),
                try namespace.run(["sh", "-c", parameters]),
            ]
            for family in ["-4", "-6"] {
                texts.append(try namespace.run(["ip", family, "route", "show", "table", "all"]))
                texts.append(try namespace.run(["ip", family, "rule", "show"]))
            }
            return texts
        }

        func close() {
            for name in ["bondd-control", "bondd"] { end(name, SIGKILL) }
            scratch.remove()
        }
    }

    let lab: Lab
    let server: Host
    let internet: Namespace
    let wan: VethPair
    private(set) var clients: [Host] = []
    private(set) var links: [EmulatedLink] = []
    private let bondd: String

    init() throws {
        lab = try Lab(seed: 1)
        bondd = try Program().path
        server = try Host(try lab.namespace("server"), bondd)
        internet = try lab.namespace("internet")
        wan = try lab.veth("wan", from: server.namespace, to: internet)
        for way in ways { try server.namespace.ip("route add default via \(way.to) dev wan") }
    }

    deinit { close() }

    /// The internet host's addresses, and the server's as it sees them.
    var ways: [(to: String, seen: String)] {
        let addresses = wan.addresses
        return [
            (addresses.ipv4(.server), addresses.ipv4(.client)),
            (addresses.ipv6(.server), addresses.ipv6(.client)),
        ]
    }

    /// A host with uplinks that lead to the server, each with a default route.
    func client(_ name: String, uplinks: [String] = ["fibre=40/10", "lte=20/20"]) throws -> Host {
        let host = try Host(try lab.namespace(name), bondd)
        for (number, text) in uplinks.enumerated() {
            let link = try lab.link(try LinkSpec(text), from: host.namespace, to: server.namespace)
            links.append(link)
            try host.namespace.ip(
                "route add default via \(link.addresses.ipv4(.server)) dev \(link.name) metric \(100 + number)"
            )
        }
        clients.append(host)
        return host
    }

    /// The server's endpoint for clients.
    var endpoint: String { "\(ways[0].seen):5000" }

    /// Runs `bondd init`, and returns the link that it prints.
    func makeServer(client name: String = "boat") throws -> String {
        let arguments = [
            "--config", server.config, "--state-dir", server.state, "--endpoint", endpoint, "--control-user",
            Host.controlUser,
        ]
        let child = try server.command(["init", "--client", name] + arguments)
        let failure = "\(child.output) \(child.errors) \(server.log("bondd")) \(server.log("bondd-control"))"
        try #require(child.status == .exited(0), "\(failure)")
        return try #require(Self.link(in: child.output), "\(child.output)")
    }

    /// The join link in a command's output.
    static func link(in output: String) -> String? {
        output.split { $0.isWhitespace }.first { $0.hasPrefix("bondd://") }.map(String.init)
    }

    /// Further arguments of `bondd join`: this host's locations, and its uplinks by name, as emulated ones are
    /// virtual.
    func joinArguments(_ host: Host) -> [String] {
        [
            "--config", host.config, "--state-dir", host.state, "--no-measure", "--include", "fibre*",
            "--include",
            "lte*",
        ]
    }

    /// Runs `bondd join`, which must succeed.
    func join(_ host: Host, _ link: String) throws {
        let child = try host.command(["join", link] + joinArguments(host))
        try #require(child.status == .exited(0), "\(child.output) \(child.errors) \(host.log("bondd"))")
        #expect(child.output.contains("2 of 2 paths work"), "\(child.output)")
    }

    /// Checks that the internet host sees the server, over both IP versions, once the tunnel has its routes.
    func reachesTheInternet(_ host: Host) throws {
        for _ in 0..<200 where try !host.namespace.run(["ip", "-6", "rule"]).contains("not from all fwmark") {
            usleep(20_000)
        }
        for way in ways {
            let probe = try TCPProbe(from: host.namespace, to: internet, way.to)
            #expect(probe.peer == way.seen && probe.carries(milliseconds: 2000))
        }
    }

    func close() {
        for client in clients { client.close() }
        server.close()
        lab.close()
    }
}
