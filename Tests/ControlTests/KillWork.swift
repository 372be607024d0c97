import ControlProtocol
import Glibc
import Settings
import Testing

@testable import Control

/// The work of a service that is being killed: invitations, enrolments, revocations, traffic.
final class KillWork {
    typealias Look = ((inout sending KillTests.Ledger) -> Void) -> Void

    private let bondd: FakeBondd
    private let control: String
    private let ledger: Look
    private var clients = 0
    private var invitations = 0
    /// The client with traffic, and its counters in earlier runs of bondd.
    private let relay = Samples.key(1_000_000)
    private var earlier: UInt64 = 0

    init(bondd: FakeBondd, control: String, ledger: @escaping Look) {
        self.bondd = bondd
        self.control = control
        self.ledger = ledger
        _ = count()
    }

    /// Performs one action and pauses.
    func step() {
        _ = count()
        let (open, clients, waiting) = bondd.with { state in
            let last = state.handovers.last
            return (last?.invitations.map(\.id) ?? [], last?.clients ?? [], state.waiting.count)
        }
        // Some thirty clients: with more, most kills would hit the handover's JSON.
        switch Int.random(in: 0..<10) {
        case 0: invite()
        case 1..<(clients.count > 30 ? 8 : 3): if let client = clients.randomElement() { revoke(client) }
        default:
            if let id = open.suffix(3).randomElement() {
                if waiting < 3 { enrol(by: id) }
            } else {
                invite()
            }
        }
        usleep(UInt32.random(in: 100...3000))
    }

    /// More traffic.
    private func count() -> UInt64 {
        bondd.with { state in
            let sent = (state.usage.paths.first?.sentBytes ?? 0) + UInt64.random(in: 1...1000)
            state.usage.paths = [
                PathUsage(publicKey: Samples.key(1_000_000), path: "fibre", sentBytes: sent, receivedBytes: 1)
            ]
            return sent
        }
    }

    private func ask(_ request: ControlServiceRequest) -> ControlServiceResponse? {
        try? ControlClient.ask(request, path: control, timeout: 300)
    }

    private func invite() {
        invitations += 1
        let order = InvitationOrder(
            name: "c\(invitations)", uses: Int.random(in: 1...20), endpoints: ["203.0.113.7:5000"])
        _ = ask(.invite(order))
    }

    private func enrol(by invitation: Int) {
        clients += 1
        bondd.enrol(Samples.key(clients), by: invitation)
    }

    private func revoke(_ client: HandedClient) {
        // From here on it may be revoked or not, until that is confirmed.
        ledger {
            $0.stored.remove(client.publicKey)
            $0.contested.insert(client.publicKey)
        }
        if ask(.revoke(name: client.name)) == .ok { ledger { $0.revoked.insert(client.publicKey) } }
    }

    /// Whether bondd-control has counted all traffic of bondd, in this run and those before.
    var isCounted: Bool {
        guard let usage = try? usage() else { return false }
        return usage == earlier + (bondd.with { $0.usage.paths.first?.sentBytes } ?? 0)
    }

    private func usage() throws -> UInt64? {
        // Like another process, without a lock.
        let directory = control.dropLast("control.sock".count) + "state"
        return try Store(directory: String(directory)).usage().first { $0.publicKey == relay }?.sentBytes
    }

    /// Starts a new run of bondd, with counters at 0.
    func beginNewRun() {
        bondd.with { state in
            earlier += state.usage.paths.first?.sentBytes ?? 0
            state.usage = UsageReport(run: "\((Int(state.usage.run) ?? 0) + 1)")
        }
    }
}
