import Glibc
import Lab
import Settings
import TestSupport
import Testing

@testable import Control

/// Access for a user without privileges.
@Suite struct UserTests {
    let directory = TemporaryDirectory()
    let user = Account(name: "nobody", user: 65534, group: 65534)

    @Test func aListIsThatOfTheModeAndGrowsByOneUser() {
        var list = AccessList([], mode: 0o750)
        #expect(list.rights(of: user, owner: 0, group: 0) == 0)
        #expect(list.rights(of: user, owner: 65534, group: 0) == 7)
        #expect(list.rights(of: user, owner: 0, group: 65534) == 5)
        list.grant(AccessList.search, to: 65534)
        #expect(list.rights(of: user, owner: 0, group: 0) == 1)
        // Others still have no access, and the group's is unchanged.
        #expect(list.rights(of: Account(name: "a", user: 5, group: 5), owner: 0, group: 0) == 0)
        #expect(list.rights(of: Account(name: "a", user: 5, group: 0), owner: 0, group: 0) == 5)
        let again = AccessList(list.bytes, mode: 0)
        #expect(again.bytes == list.bytes && again.rights(of: user, owner: 0, group: 0) == 1)
        #expect(list.bytes.count == 4 + 5 * 8)
    }

    /// Through directories of root's to a file of root's.
    @Test(.enabled(if: geteuid() == 0, "needs root")) func aUserIsLetThrough() throws {
        mkdir(directory.path + "/inner", 0o700)
        directory.file("inner/file", "text", mode: 0o600)
        directory.file("inner/other", "text", mode: 0o600)
        defer { for name in ["file", "other"] { unlink(directory.path + "/inner/" + name) } }
        func reads(_ name: String) throws -> Bool {
            let child = try Child([
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat",
                directory.path + "/inner/" + name,
            ])
            try child.wait(seconds: 5)
            return child.status == .exited(0)
        }
        #expect(try !reads("file"))
        try Passage.open(directory.path + "/inner", for: user)
        try Passage.open(file: directory.path + "/inner/file", for: user, mayWrite: false)
        #expect(try reads("file"))
        #expect(try !reads("other"))
    }

    @Test func hostsOfThisMachineAreLocal() {
        for authority in [
            nil, "", "127.0.0.1:8098", "127.0.0.1", "[::1]:8098", "localhost:8098", "service",
            "a.localhost:1",
        ] {
            #expect(HostName.isLocal(authority), "\(authority ?? "")")
        }
        for authority in ["evil.example:8098", "evil.example", "127.0.0.1.evil.example:1", "a.b"] {
            #expect(!HostName.isLocal(authority), "\(authority)")
        }
    }

    @Test func oneSourceDoesNotTakeAll() {
        let sources = Sources()
        for _ in 0..<Sources.most { #expect(sources.admit("a")) }
        #expect(!sources.admit("a") && sources.admit("b"))
        sources.release("a")
        #expect(sources.admit("a"))
    }
}
