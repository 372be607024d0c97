import ControlProtocol
import GRDB
import Glibc
import Proto
import Settings
import TestSupport
import Testing

@testable import Control

@Suite struct StoreTests {
    let directory = TemporaryDirectory()
    let store: Store
    let plan: Plan

    init() throws {
        store = try Store(directory: directory.path)
        plan = try Samples.plan(extra: Samples.client("desk", 900, "10.77.0.2"))
    }

    /// Names and addresses as handed to bondd.
    func handed() throws -> [String] {
        try store.handover(plan: plan).clients.map { "\($0.name) \($0.addresses.joined(separator: " "))" }
    }

    @Test func theFilesAreForTheirOwner() {
        for file in ["state.sqlite", "state.sqlite-wal"] { #expect(directory.mode(of: file) == 0o600) }
    }

    @Test func anInvitationBecomesAClient() throws {
        let link = try store.invite(
            InvitationOrder(name: "boat", lifetime: 600, mode: "stripe"), plan: plan, server: Samples.server,
            endpoints: [HostPort("vpn.example.org:5000")!], now: Samples.now)
        let read = try JoinLink(link.text)
        #expect(read == link && read.expiry == UInt64(Samples.now + 600))
        // bondd gets the keys derived from the link's secret, and the secret is stored nowhere.
        let keys = InvitationKeys(secret: read.secret, server: Samples.server)
        let handed = try store.handover(plan: plan)
        let (publicKey, psk) = (keys.privateKey.publicKey.base64, keys.presharedKey.base64)
        #expect(handed.invitations.map(\.publicKey) == [publicKey])
        #expect(handed.invitations.map(\.presharedKey) == [psk])

        let id = handed.invitations[0].id
        #expect(try store.openInvitations(now: Samples.now).map(\.usesLeft) == [1])
        #expect(try store.enrol(id, 1, plan: plan) == .stored)
        let after = try store.handover(plan: plan)
        #expect(after.revision == handed.revision + 1)
        #expect(
            after.clients == [
                HandedClient(
                    name: "boat", publicKey: Samples.key(1), addresses: ["10.77.0.3", "fd77::2"],
                    mode: "stripe"
                )
            ])
        // A repeated request gets the same result without any change.
        #expect(try store.enrol(id, 1, plan: plan, now: Samples.now + 9999) == .stored)
        #expect(try store.handover(plan: plan) == after)
        #expect(try store.openInvitations(now: Samples.now).isEmpty)
    }

    @Test func everyEndOfAnInvitationHasItsWord() throws {
        let one = try store.invite("one", lifetime: 60, plan: plan)
        #expect(try store.enrol(one, 1, plan: plan, now: Samples.now + 60) == .expired)
        #expect(try store.enrol(one, 1, plan: plan, now: Samples.now + 59) == .stored)
        #expect(try store.enrol(one, 2, plan: plan) == .used)
        let two = try store.invite("two", plan: plan)
        try store.revoke("two", plan: plan, now: Samples.now)
        #expect(try store.enrol(two, 3, plan: plan) == .revoked)
        #expect(try store.enrol(77, 3, plan: plan) == .expired)
        #expect(throws: ControlError.self) {
            try store.enrol(
                Enrolment(id: 1, invitation: one, publicKey: "x", host: ""), plan: plan, now: Samples.now)
        }
    }

    @Test func oneLinkForMany() throws {
        let id = try store.invite("van", uses: 3, plan: plan)
        for client in 1...3 { #expect(try store.enrol(id, client, plan: plan) == .stored) }
        #expect(try store.enrol(id, 4, plan: plan) == .used)
        #expect(
            try handed() == [
                "van 10.77.0.3 fd77::2", "van-2 10.77.0.4 fd77::3", "van-3 10.77.0.5 fd77::4",
            ])
    }

    @Test func aClientThatIsOneAlreadyTakesNoUse() throws {
        let one = try store.invite("one", plan: plan)
        let two = try store.invite("two", plan: plan)
        #expect(try store.enrol(one, 1, plan: plan) == .stored)
        #expect(try store.enrol(two, 1, plan: plan) == .stored)
        // Nor does a client of the file.
        #expect(try store.enrol(two, 900, plan: plan) == .stored)
        #expect(try store.openInvitations(now: Samples.now).map(\.name) == ["two"])
        #expect(try handed() == ["one 10.77.0.3 fd77::2"])
    }

    @Test func revokedIsRevoked() throws {
        let id = try store.invite("van", uses: 5, plan: plan)
        #expect(try store.enrol(id, 1, plan: plan) == .stored)
        try store.revoke("van", plan: plan, now: Samples.now)
        #expect(try handed().isEmpty)
        // Neither its key nor another of the link's holder.
        #expect(try store.enrol(id, 1, plan: plan) == .revoked)
        #expect(try store.enrol(id, 2, plan: plan) == .revoked)
        // With a new invitation it is a new client.
        let again = try store.invite("van", plan: plan)
        #expect(try store.enrol(again, 1, plan: plan) == .stored)
        #expect(try handed() == ["van 10.77.0.4 fd77::3"])
    }

    @Test func addressesOfTheRevokedAreTheLastToBeGiven() throws {
        let plan = try Samples.plan(["10.0.0.1/29"])
        let id = try store.invite("c", uses: 1000, plan: plan)
        for client in 1...5 { #expect(try store.enrol(id, client, plan: plan) == .stored) }
        #expect(try store.enrol(id, 6, plan: plan) == .full)
        let next = try store.invite("d", uses: 1000, plan: plan)
        try store.revoke("c-3", plan: plan, now: Samples.now + 10)
        try store.revoke("c-2", plan: plan, now: Samples.now + 20)
        #expect(try store.enrol(next, 7, plan: plan) == .stored)
        #expect(try store.enrol(next, 8, plan: plan) == .stored)
        #expect(try store.enrol(next, 9, plan: plan) == .full)
        #expect(try store.openInvitations(now: Samples.now).map(\.usesLeft) == [998])
        let clients = try store.handover(plan: plan).clients
        #expect(clients.first { $0.name == "d" }?.addresses == ["10.0.0.4"])
        #expect(clients.first { $0.name == "d-2" }?.addresses == ["10.0.0.3"])
        #expect(Set(clients.flatMap(\.addresses)).count == 5)
    }

    @Test func namesAreUniqueAmongAll() throws {
        try store.invite("open", plan: plan)
        let id = try store.invite("boat", plan: plan)
        #expect(try store.enrol(id, 1, plan: plan) == .stored)
        for name in ["open", "boat", "desk", "a b", "", "-a", "ä", String(repeating: "n", count: 64)] {
            #expect(throws: ControlError.self, "\(name)") { try store.invite(name, plan: plan) }
            #expect(throws: ControlError.self, "\(name)") {
                try store.rename("boat", to: name == "boat" ? "desk" : name, plan: plan, now: Samples.now)
            }
        }
        try store.rename("boat", to: "ship", plan: plan, now: Samples.now)
        #expect(try handed() == ["ship 10.77.0.3 fd77::2"])
        // A name that was taken while its invitation was open.
        let other = try store.invite("boat", plan: plan)
        let file = try Samples.plan(extra: Samples.client("boat", 901, "10.77.0.9"))
        #expect(try store.enrol(other, 2, plan: file) == .stored)
        #expect(try store.handover(plan: file).clients.map(\.name) == ["ship", "boat-2"])
    }

    @Test func aNetworkIsBehindOneClientAlone() throws {
        for (name, key) in [("boat", UInt16(1)), ("van", 2)] {
            let id = try store.invite(name, plan: plan)
            #expect(try store.enrol(id, Int(key), plan: plan) == .stored)
        }
        try store.setNetworks(["192.168.50.0/24", "fd50::/64"], of: "boat", plan: plan)
        func networks(_ name: String) throws -> [String]? {
            try store.handover(plan: plan).clients.first { $0.name == name }?.networks
        }
        #expect(try networks("boat") == ["192.168.50.0/24", "fd50::/64"])
        #expect(try networks("van") == nil)
        #expect(try store.clients(plan: plan).first { $0.name == "boat" }?.networks?.count == 2)
        for (text, words) in [
            ("192.168.50.128/25", "is behind the client \"boat\""), ("10.77.0.0/24", "the tunnel's network"),
            ("192.168.51.1/24", "write 192.168.51.0/24"), ("0.0.0.0/0", "is the whole internet"),
            ("lan", "is not NETWORK/PREFIX"), ("224.0.0.0/8", "can't be routed"),
        ] {
            let error = #expect(throws: ControlError.self) {
                try store.setNetworks([text], of: "van", plan: plan)
            }
            #expect(error?.description.contains(words) == true, "\(text): \(error?.description ?? "")")
        }
        #expect(throws: ControlError.self) {
            try store.setNetworks(["10.1.0.0/16", "10.1.2.0/24"], of: "van", plan: plan)
        }
        #expect(throws: ControlError.self) {
            try store.setNetworks((0..<17).map { "10.\($0 + 100).0.0/16" }, of: "van", plan: plan)
        }
        for name in ["desk", "nobody"] {
            #expect(throws: ControlError.self) { try store.setNetworks([], of: name, plan: plan) }
        }
        // A revoked client has no networks; they are free for others.
        try store.revoke("boat", plan: plan, now: Samples.now)
        try store.setNetworks(["192.168.50.0/24"], of: "van", plan: plan)
        #expect(try networks("van") == ["192.168.50.0/24"])
        try store.setNetworks([], of: "van", plan: plan)
        #expect(try networks("van") == nil)
    }

    @Test func theFilesClientsAreTheFiles() throws {
        #expect(try store.clients(plan: plan).map(\.source) == ["file"])
        for action in ["revoke", "rename"] {
            let error = #expect(throws: ControlError.self) {
                if action == "revoke" {
                    try store.revoke("desk", plan: plan, now: 1)
                } else {
                    try store.rename("desk", to: "x", plan: plan, now: 1)
                }
            }
            #expect(error?.description.contains("is in bondd.toml, which alone can \(action) it") == true)
        }
        #expect(throws: ControlError.self) { try store.revoke("nobody", plan: plan, now: 1) }
        #expect(throws: ControlError.self) { try store.rename("nobody", to: "x", plan: plan, now: 1) }
    }

    @Test func ordersHaveLimits() throws {
        for (lifetime, uses, mode) in [
            (59, 1, nil), (31_536_001, 1, nil), (60, 0, nil), (60, 1001, nil), (60, 1, "fast"),
        ] as [(Int, Int, String?)] {
            #expect(throws: ControlError.self) {
                try store.invite("x", uses: uses, lifetime: lifetime, mode: mode, plan: plan)
            }
        }
        try store.invite("x", uses: 1000, lifetime: 31_536_000, mode: "redundant", plan: plan)
    }

    @Test func oldInvitationsAreForgotten() throws {
        let id = try store.invite("old", lifetime: 60, plan: plan)
        let end = Samples.now + 60
        #expect(try !store.prune(now: end + 30 * 86400))
        #expect(try store.enrol(id, 1, plan: plan, now: end) == .expired)
        #expect(try store.handover(plan: plan).invitations.count == 1)
        #expect(try store.prune(now: end + 30 * 86400 + 1))
        #expect(try store.handover(plan: plan).invitations.isEmpty)
    }

    @Test func theStateFollowsTheFile() throws {
        let id = try store.invite("boat", uses: 2, plan: plan)
        for client in 1...2 { #expect(try store.enrol(id, client, plan: plan) == .stored) }
        #expect(try store.reconcile(with: plan).isEmpty)
        let revision = try store.handover(plan: plan).revision
        // The file takes the first one's name and address, and has another IPv6 network.
        let new = try Samples.plan(
            ["10.77.0.1/24", "fd78::1/64"], extra: Samples.client("boat", 901, "10.77.0.3"))
        #expect(try !store.reconcile(with: new).isEmpty)
        let handover = try store.handover(plan: new)
        #expect(handover.revision == revision + 1)
        #expect(handover.clients.map(\.name) == ["boat-3", "boat-2"])
        #expect(handover.clients.map(\.addresses) == [["10.77.0.2", "fd78::2"], ["10.77.0.4", "fd78::3"]])
        #expect(try store.reconcile(with: new).isEmpty)
    }

    /// Two of the server's addresses in one network, and one network within another.
    @Test(arguments: [
        (["10.77.0.1/24", "10.77.0.254/24"], ["10.77.0.2"]),
        (["10.77.0.1/24", "10.77.0.254/16"], ["10.77.0.2", "10.77.0.3"]),
        (["fd77::1/64", "fd77::2/64"], ["fd77::3"]),
    ]) func aClientHasOneAddressInEachNetwork(networks: [String], addresses: [String]) throws {
        let plan = try Samples.plan(networks)
        let id = try store.invite("boat", plan: plan)
        #expect(try store.enrol(id, 1, plan: plan) == .stored)
        #expect(try store.handover(plan: plan).clients.map(\.addresses) == [addresses])
        #expect(try store.reconcile(with: plan).isEmpty)
    }

    /// An address that the file claims from a client belongs to the file.
    @Test func ofAClientsAddressesThoseThatItHadFirstAreUsed() throws {
        let wide = try Samples.plan(["10.77.0.1/16"])
        let narrow = try Samples.plan(["10.77.9.1/24"])
        let id = try store.invite("boat", plan: wide)
        #expect(try store.enrol(id, 1, plan: wide) == .stored)
        func addresses(_ plan: Plan) throws -> [[String]] {
            try store.handover(plan: plan).clients.map(\.addresses)
        }
        #expect(try addresses(wide) == [["10.77.0.2"]])
        _ = try store.reconcile(with: narrow)
        #expect(try addresses(narrow) == [["10.77.9.2"]])
        // Both are in this network.
        #expect(try store.reconcile(with: wide).isEmpty)
        #expect(try addresses(wide) == [["10.77.0.2"]])
    }

    @Test func howManyARevocationShutsOutIsSaid() throws {
        let id = try store.invite("boat", uses: 5, plan: plan)
        for client in 1...2 { #expect(try store.enrol(id, client, plan: plan) == .stored) }
        #expect(try store.revoke("boat", plan: plan, now: Samples.now) == 3)
        #expect(try store.revoke("boat-2", plan: plan, now: Samples.now) == 0)
    }

    /// A state of an earlier version is kept next to the migrated one.
    @Test func migratingKeepsACopy() throws {
        let other = TemporaryDirectory()
        let path = other.path + "/state.sqlite"
        let old = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(old, upTo: "2")
        try old.write { try $0.execute(sql: "INSERT INTO meta VALUES ('server_key', 'old')") }
        try old.close()
        let new = try Store(directory: other.path)
        #expect(try new.serverKey() == "old")
        #expect(other.mode(of: "state.sqlite.before-address-order") == 0o600)
        let copy = try DatabaseQueue(path: path + ".before-address-order")
        #expect(try copy.read { try Schema.migrator.appliedIdentifiers($0) } == ["1", "2"])
        #expect(try copy.read { try Store.value("server_key", $0) } == "old")
        // Nothing to migrate, so no copy.
        unlink(path + ".before-address-order")
        _ = try Store(directory: other.path)
        #expect(other.mode(of: "state.sqlite.before-address-order") == 0)
    }

    @Test func endpointsAreAsToldOrSetOrListenedOn() throws {
        let order = InvitationOrder(name: "a")
        let error = #expect(throws: ControlError.self) {
            try store.endpoints(for: order, listen: plan.listen)
        }
        #expect(error?.description.contains("bondd invite a --endpoint HOST:PORT") == true)
        #expect(
            try store.endpoints(for: order, listen: [.init("203.0.113.9:1")!, .init("0.0.0.0:1")!])
                == [HostPort("203.0.113.9:1")!])
        try store.setEndpoints(["vpn.example.org:5000", "[2001:db8::7]:5000"])
        #expect(
            try store.endpoints(for: order, listen: plan.listen).map(\.description) == [
                "vpn.example.org:5000", "[2001:db8::7]:5000",
            ])
        #expect(throws: ControlError.self) { try store.setEndpoints(["nonsense"]) }
        #expect(throws: ControlError.self) { try store.setEndpoints([]) }
    }
}
