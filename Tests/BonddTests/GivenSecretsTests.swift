import Glibc
import Packet
import Proto
import Settings
import TestSupport
import Testing

@testable import bondd

@Suite struct GivenSecretsTests {
    private let directory = TemporaryDirectory()
    private let server = PublicKey(bytes: Array(repeating: 1, count: 32))
    private let client = PublicKey(bytes: Array(repeating: 2, count: 32))

    private func secret(_ generation: UInt32) -> ClientSecret {
        ClientSecret(
            generation: generation,
            key: PresharedKey(bytes: Array(repeating: UInt8(generation), count: 32)))
    }

    private func read(server: PublicKey? = nil, client: PublicKey? = nil) -> GivenSecrets {
        GivenSecrets(
            directory: directory.path, interface: "bond0", server: server ?? self.server,
            client: client ?? self.client, log: Log(level: .error))
    }

    @Test func keysAreTheirOwnersAndForOneServer() throws {
        #expect(read().secrets == .none)
        try GivenSecrets.write(
            secret(5), server: server, client: client, directory: directory.path, interface: "bond0")
        #expect(directory.mode(of: "bond0.secrets") == 0o600)
        #expect(read().secrets.newestFirst == [secret(5)])
        #expect(read(server: client).secrets == .none && read(client: server).secrets == .none)
    }

    /// A key takes effect once it is on disk, and its predecessor is kept.
    @Test func aNewKeyIsWrittenFirst() throws {
        try GivenSecrets.write(
            secret(5), server: server, client: client, directory: directory.path, interface: "bond0")
        var given = read()
        var now = Instant(nanoseconds: 1_000_000_000)
        var written = given.takeWritten(now: now)
        #expect(written == nil)
        given.take(secret(6), now: now)
        given.take(secret(6), now: now)
        for _ in 0..<1000 where written == nil {
            now = now + .milliseconds(5)
            written = given.takeWritten(now: now)
            usleep(2000)
        }
        #expect(written == secret(6))
        let again = given.takeWritten(now: now)
        #expect(again == nil && read().secrets.newestFirst == [secret(6), secret(5)])
        #expect(directory.mode(of: "bond0.secrets") == 0o600)
    }
}
