import ControlProtocol
import Glibc
import Lab
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Control

/// The real bondd-control, killed repeatedly.
@Suite struct KillTests {
    static let kills = 200

    /// The invariants for everything that bondd was told or asked, whenever bondd-control was killed.
    struct Ledger {
        /// Keys whose enrolment was confirmed and that have not been revoked since.
        var stored: Set<String> = []
        /// The number of confirmed enrolments.
        var enrolments = 0
        /// Keys whose revocation was requested.
        var contested: Set<String> = []
        /// Keys whose revocation was confirmed.
        var revoked: Set<String> = []
        /// The first owner seen for each address.
        var owners: [String: String] = [:]
        /// Violations found.
        var faults: [String] = []

        mutating func see(_ handover: Handover) {
            let keys = Set(handover.clients.map(\.publicKey))
            for key in stored where !keys.contains(key) { faults.append("\(key) was stored and is lost") }
            for key in revoked where keys.contains(key) { faults.append("\(key) was revoked and is back") }
            for client in handover.clients {
                if client.addresses.count != 2 { faults.append("\(client.name) has \(client.addresses)") }
                for address in client.addresses
                where owners[address, default: client.publicKey] != client.publicKey {
                    faults.append("\(address) was given twice")
                }
                for address in client.addresses { owners[address] = client.publicKey }
            }
            if Set(handover.clients.map(\.name)).count != keys.count { faults.append("a name twice") }
        }
    }

    let directory = TemporaryDirectory()
    var control: String { directory.path + "/control.sock" }

    func start() throws -> Child {
        try Child([
            Program.path, "run", "--config", directory.path + "/bondd.toml", "--socket",
            directory.path + "/bondd.sock", "--state-dir", directory.path + "/state", "--log-level", "error",
            "--usage-interval", "0.01", "--as-root",
        ])
    }

    @Test(.timeLimit(.minutes(5))) func nothingThatWasSaidIsLost() throws {
        directory.file("bondd.toml", Samples.text(["10.64.0.1/16", "fd77::1/64"]))
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        let ledger = Mutex(Ledger())
        defer {
            bondd.stop()
            for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "lock"] {
                unlink(directory.path + "/state/" + file)
            }
        }
        bondd.with { state in
            state.status.publicKey = Samples.server.base64
            state.onHandover = { handover in ledger.withLock { $0.see(handover) } }
            state.onSettle = { enrolment, outcome in
                ledger.withLock { ledger in
                    if outcome == .stored { ledger.enrolments += 1 }
                    if outcome == .stored && !ledger.contested.contains(enrolment.publicKey) {
                        ledger.stored.insert(enrolment.publicKey)
                    }
                }
            }
        }
        let work = KillWork(bondd: bondd, control: control, ledger: { body in ledger.withLock { body(&$0) } })
        var random = SystemRandomNumberGenerator()
        for kill in 1...Self.kills {
            let before = bondd.with { $0.handovers.count }
            let child = try start()
            // One in five during the start, the others during work, by a thread that does not know about it.
            if kill % 5 != 0 {
                #expect(eventually { bondd.with { $0.handovers.count } > before }, "\(child.errors)")
            }
            let delay = UInt32.random(in: 0...120_000, using: &random)
            Thread.detach {
                usleep(delay)
                child.kill()
            }
            while child.isRunning { work.step() }
            #expect(child.status == .signalled(SIGKILL), "\(child.errors)")
            if kill % 50 == 0 { try check(bondd, work) }
        }
        try check(bondd, work)
        let (faults, stored, revoked) = ledger.withLock { ($0.faults, $0.enrolments, $0.revoked.count) }
        #expect(faults.isEmpty)
        #expect(bondd.with { $0.refused } == 0)
        // Work was in progress when it was killed.
        #expect(stored > 100 && revoked > 20, "\(stored) stored, \(revoked) revoked")
    }

    /// Undisturbed, all operations complete, and traffic is counted to the byte.
    private func check(_ bondd: FakeBondd, _ work: KillWork) throws {
        let child = try start()
        defer { child.kill() }
        #expect(eventually { bondd.with { $0.waiting.isEmpty } }, "\(child.errors)")
        #expect(eventually { work.isCounted }, "\(child.errors)")
        work.beginNewRun()
    }
}
