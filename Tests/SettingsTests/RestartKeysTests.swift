import Glibc
import Runtime
import Settings
import Testing

/// The keys that a reload can't change.
@Suite struct RestartKeysTests {
    private static let server = """
        [tunnel]
        role = "server"
        interface = "bond7"
        address = ["10.77.0.1/24"]
        private_key_file = "key"
        mtu = 1400
        cipher = "chacha20-poly1305"
        offload = true
        buffer_mb = 64
        threads = 1
        [listen]
        addresses = ["0.0.0.0:5000"]

        """

    private static let client = """
        [tunnel]
        role = "client"
        interface = "bond7"
        private_key_file = "key"
        [server]
        public_key = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="
        endpoints = ["192.0.2.1:5000"]

        """

    private func changed(_ text: String, _ old: String, _ new: String) throws -> [String] {
        let one = try Configuration(text: text, file: "bondd.toml", keys: .leave)
        let other = try Configuration(
            text: text.replacing(old, with: new), file: "bondd.toml", keys: .leave)
        let names = Configuration.restartKeys.filter { !$0.isSame(one, other) }.map(\.name)
        #expect(other.canReplace(one) == names.isEmpty)
        return names
    }

    @Test(arguments: [
        ("\"bond7\"", "\"bond8\"", ["interface"]), ("10.77.0.1/24", "10.77.0.2/24", ["addresses"]),
        ("mtu = 1400", "mtu = 1380", ["mtu"]), ("chacha20-poly1305", "aes-256-gcm", ["cipher"]),
        ("\"key\"", "\"other\"", ["keys"]), ("offload = true", "offload = false", ["offload"]),
        ("buffer_mb = 64", "buffer_mb = 65", ["buffer_mb"]), ("threads = 1", "threads = 2", ["threads"]),
        ("0.0.0.0:5000", "0.0.0.0:5001", ["listening addresses"]), ("[listen]", "[nat]\n[listen]", []),
    ])
    func aServersKeysAreToldApart(_ old: String, _ new: String, _ names: [String]) throws {
        #expect(try changed(Self.server, old, new) == names)
    }

    @Test(arguments: [
        ("192.0.2.1:5000", "192.0.2.1:5001", ["endpoints"]), ("CQkJCQkJCQ", "CAkJCQkJCQ", ["keys"]),
        ("[server]", "[discovery]\n[server]", []),
    ])
    func aClientsKeysAreToldApart(_ old: String, _ new: String, _ names: [String]) throws {
        #expect(try changed(Self.client, old, new) == names)
    }

    @Test func anotherRoleIsAnother() throws {
        let one = try Configuration(text: Self.server, file: "bondd.toml", keys: .leave)
        let other = try Configuration(text: Self.client, file: "bondd.toml", keys: .leave)
        #expect(!one.canReplace(other))
        #expect(Configuration.restartKeys.first { !$0.isSame(one, other) }?.name == "role")
    }

    @Test func theDocumentationNamesThemAll() throws {
        let file = String(#filePath.dropLast("Tests/SettingsTests/RestartKeysTests.swift".count))
        let page = try TextFile.read("\(file)docs/configuration.md", limit: 1 << 20)
            .replacing("\n", with: " ")
        let match = try #require(page.firstMatch(of: /A file that changes ([^.]*?) is refused as a whole/))
        let names = match.1.replacing(" or ", with: ", ").split(separator: ", ").map(String.init)
        #expect(names == Configuration.restartKeys.map(\.name))
    }

    @Test func theSentenceNamesThemAll() {
        #expect(
            Configuration.needsRestart
                == "the role, interface, addresses, mtu, cipher, keys, offload, buffer_mb, endpoints, listening addresses and threads change only with a restart"
        )
    }
}
