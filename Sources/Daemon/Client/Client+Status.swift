import ControlProtocol
import Engine
import Packet
import Settings

// A client's problems and notices, and its status without a session.
extension Client {
    /// What keeps packets from being carried, a sentence each.
    var problems: [String] { [refusal.problem, foreignAddress].compactMap(\.self) }

    /// Why no packet passes although there is a session: the server drops packets from addresses that it did
    /// not assign.
    private var foreignAddress: String? {
        guard let assignment else { return nil }
        let given = assignment.addresses.map(\.address)
        let foreign = shared.configuration.tunnel.addresses.map(\.address).filter {
            !given.contains($0)
        }
        if foreign.isEmpty || given.isEmpty { return nil }
        func list(_ addresses: [IPAddress]) -> String {
            addresses.map(\.description).joined(separator: " and ")
        }
        return
            "[tunnel] address has \(list(foreign)), but the server gives this client \(list(given)) and drops packets from any other; remove address from \(shared.configuration.file), or have the server give that one, and restart bondd"
    }

    /// What works, but not as its owner may expect, a sentence each.
    var notices: [String] { routingNotices + nameService.problems + [nameNotice].compactMap(\.self) }

    /// The status without a session: the paths that are tried.
    var connecting: SessionStatus {
        var status = SessionStatus(
            client: "server", address: "", state: "connecting",
            mode: plane.engine.currentMode.word, rekeyAge: 0)
        status.paths = paths.map { PathStatus(connecting: $0) }
        return status
    }
}
