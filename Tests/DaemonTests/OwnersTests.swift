import Engine
import Proto
import Testing

@testable import Daemon

@Suite struct OwnersTests {
    private func peer(_ number: UInt8, isInvitation: Bool = false) -> EngineConfiguration.Peer {
        var peer = EngineConfiguration.Peer(
            name: "c\(number)", publicKey: PublicKey(bytes: [UInt8](repeating: number, count: 32)))
        if isInvitation { peer.kind = .invitation(id: 1) }
        return peer
    }

    private func threads(_ owners: inout Owners, _ peers: [EngineConfiguration.Peer]) -> [Int] {
        var peers = peers
        owners.assign(&peers)
        return peers.map(\.shard)
    }

    @Test func newClientsSpreadEvenly() {
        var owners = Owners(threads: 3)
        let shards = threads(&owners, (1...9).map { peer($0) })
        #expect((0..<3).map { thread in shards.count { $0 == thread } } == [3, 3, 3])
    }

    /// A session does not survive a change of its thread.
    @Test func aClientKeepsItsThreadWhateverOthersDo() {
        var owners = Owners(threads: 2)
        let before = threads(&owners, (1...6).map { peer($0) })
        let after = threads(&owners, [2, 4, 6, 7].map { peer($0) })
        #expect(Array(after.prefix(3)) == [before[1], before[3], before[5]])
        // The newcomer goes where there are fewer.
        let counts = (0..<2).map { thread in after.prefix(3).count { $0 == thread } }
        #expect(after[3] == (counts[0] <= counts[1] ? 0 : 1))
    }

    @Test func aClientThatWasAwayCountsAsNew() {
        var owners = Owners(threads: 2)
        #expect(threads(&owners, [peer(1), peer(2)]) == [0, 1])
        #expect(threads(&owners, [peer(1)]) == [0])
        #expect(threads(&owners, [peer(3), peer(1)]) == [1, 0])
        #expect(threads(&owners, [peer(1), peer(3), peer(2)]) == [0, 1, 0])
    }

    /// Each invitation leads to one handshake, on the main thread.
    @Test func invitationsAreTheMainThreadsAndDoNotCount() {
        var owners = Owners(threads: 2)
        let invitations = (100...110).map { peer($0, isInvitation: true) }
        #expect(
            threads(&owners, invitations + [peer(1), peer(2)]) == [Int](repeating: 0, count: 11) + [0, 1])
    }
}
