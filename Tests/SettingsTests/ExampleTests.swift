import Foundation
import TestSupport
import Testing

@testable import Settings

/// The annotated files in examples/ are good, and show what the reference documents.
@Suite struct ExampleTests {
    private let directory = TemporaryDirectory()
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..")

    init() {
        let key = Base64.encode((0..<32).map { UInt8($0) }) + "\n"
        for name in ["server.key", "client.key", "warehouse.psk"] { directory.file(name, key) }
        directory.file("health.token", "0123456789abcdef0123456789abcdef\n")
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private func read(_ name: String) throws -> Configuration {
        try Configuration(
            text: try Self.text("examples/\(name)"), file: directory.path + "/\(name)", keys: .check)
    }

    @Test func theServerOfTheExamplesIsGood() throws {
        let configuration = try read("server.toml")
        guard case .server(let server) = configuration.role else {
            Issue.record("examples/server.toml is a client's")
            return
        }
        #expect(server.clients.map(\.name) == ["warehouse"])
        #expect(server.rules.map(\.id.description) == ["web", "game", "shop"])
        #expect(configuration.health != nil)
    }

    @Test func theClientOfTheExamplesIsGood() throws {
        let configuration = try read("client.toml")
        guard case .client(let client) = configuration.role else {
            Issue.record("examples/client.toml is a server's")
            return
        }
        #expect(client.paths.map(\.name) == ["fibre", "lte", "satellite", "spare"])
        #expect(client.lan == ["br0"])
    }

    /// The keys of rarer use, which examples would only make longer.
    private static let rare: Set<String> = [
        "mtu", "bundle_file", "allow_outside", "prefer_ipv6", "udp_max_flows", "udp_flow_idle_secs",
        "connection_rate", "burst_in", "burst_out", "connection_burst",
    ]

    /// A key that the reference gains must be shown in an example, or be rare.
    @Test func theExamplesShowEveryCommonKey() throws {
        let examples = try Self.text("examples/server.toml") + Self.text("examples/client.toml")
        let keys = try Self.text("docs/configuration.md").matches(of: /(?m)^\| `([a-z0-9_]+)` \|/).map {
            String($0.1)
        }
        #expect(keys.count >= 60)
        for key in Set(keys) where !Self.rare.contains(key) {
            let shown = try Regex("(?m)(^|[{,] *)\(key) = ")
            #expect(examples.contains(shown), "no example shows \(key)")
        }
    }
}
