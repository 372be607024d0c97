import Commands
import ControlProtocol
import Glibc
import Packet
import Proto
import Runtime
import Settings

/// `bondd doctor --report FILE`: one text with everything that a support question needs, and no secrets.
struct SupportReport {
    /// Its sections, cleaned.
    let text: String

    /// Maximum output of one program, in bytes.
    private static let limit = 256 << 10

    init(_ examination: Examination, _ findings: [Finding]) {
        let file = (try? TextFile.read(examination.file, limit: Settings.Configuration.maximumFile)) ?? ""
        let redaction = Redaction(
            secrets: Self.secrets(of: examination.configuration), publicKeys: Self.publicKeys(examination))
        var sections = [
            ("bondd", "\(Product.version)\n\(Self.stamp)"),
            ("doctor", FindingTable(findings).text),
            ("configuration \(examination.file)", redaction.clean(configuration: file)),
        ]
        if let status = examination.status, let line = try? Line.encode(status) {
            sections.append(("status", String(decoding: line, as: UTF8.self)))
        }
        for words in Self.commands(examination.tunnel) {
            // Each program gets its share of the remaining time.
            let command = CapturedCommand(words: words, limit: Self.limit, patience: examination.reportTime)
            let answer = command.run()
            sections.append((words.joined(separator: " "), answer?.text ?? "(not available)"))
        }
        for path in ["/etc/os-release", "/etc/resolv.conf", "/proc/net/dev", "/proc/net/snmp"] {
            sections.append((path, (try? TextFile.read(path, limit: Self.limit)) ?? "(not available)"))
        }
        text = sections.map { "=== \($0)\n\(redaction.clean($1))\n" }.joined(separator: "\n")
    }

    /// Creates the file (0600), which must not exist.
    func write(to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            let code = errno
            throw Failure(
                code == EEXIST
                    ? "the report \(path) exists and is not overwritten; name another file"
                    : "could not create the report \(path): \(String(cString: strerror(code)))")
        }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        fchmod(file, 0o600)
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let reason = String(cString: strerror(errno))
                unlink(path)
                throw Failure(
                    "could not write the report \(path): \(reason); make room, or name another place")
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func commands(_ tunnel: String) -> [[String]] {
        [
            ["uname", "-a"], ["ip", "-s", "link"], ["ip", "address"], ["ip", "rule"], ["ip", "-6", "rule"],
            ["ip", "route", "show", "table", "all"], ["ip", "-6", "route", "show", "table", "all"],
            ["nft", "list", "ruleset"],
            ["sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.all.rp_filter"],
            ["systemctl", "--no-pager", "status", "bondd", "bondd-control"],
            ["journalctl", "--no-pager", "-q", "-n", "300", "-u", "bondd", "-u", "bondd-control"],
            ["tail", "-n", "200", "/var/lib/bondd/bondd.log"],
        ]
    }

    private static var stamp: String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) \(two(parts.tm_hour)):\(two(parts.tm_min)) UTC"
    }

    // MARK: - Secrets

    /// Contents of all secret files named in the configuration.
    private static func secrets(of configuration: Configuration?) -> [String] {
        guard let configuration else { return [] }
        var keys = [configuration.tunnel.privateKey]
        var files: [String] = []
        switch configuration.role {
        case .client(let client): keys += [client.server.presharedKey].compactMap(\.self)
        case .server(let server):
            keys += server.clients.compactMap(\.presharedKey)
            if let bundle = server.portunus?.bundleFile { files.append(bundle) }
        }
        if let token = configuration.health?.tokenFile { files.append(token) }
        let texts = files.compactMap { try? TextFile.read($0, limit: 1 << 16) }
        return keys.map { Base64.encode($0.key) }
            + texts.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    }

    private static func publicKeys(_ examination: Examination) -> Set<String> {
        var keys = Set([examination.status?.publicKey].compactMap(\.self))
        guard let configuration = examination.configuration else { return keys }
        let own = configuration.tunnel.privateKey.key
        if !own.isEmpty { keys.insert(PrivateKey(bytes: own).publicKey.base64) }
        switch configuration.role {
        case .client(let client): keys.insert(Base64.encode(client.server.publicKey))
        case .server(let server): keys.formUnion(server.clients.map { Base64.encode($0.publicKey) })
        }
        return keys
    }
}
