import Glibc
import Messages

/// Clients and open invitations as people read them.
struct ClientTable {
    let text: String

    /// - Parameter now: seconds since 1970.
    init(_ clients: [ClientStatus], _ invitations: [InvitationStatus], now: Int) {
        var rows = [["client", "addresses", "state", "last seen", "sent", "received", "from"]]
        for client in clients {
            let state = client.isUp.map { $0 ? "up" : "down" } ?? "?"
            rows.append([
                client.name, client.addresses.joined(separator: " "), state,
                client.isUp == true ? "now" : client.lastSeenAt.map { Self.ago(now - $0) } ?? "never",
                StatusTable.bytes(UInt64(max(client.sentBytes, 0))),
                StatusTable.bytes(UInt64(max(client.receivedBytes, 0))),
                client.source == "file" ? "file" : "invitation",
            ])
        }
        var lines =
            clients.isEmpty ? ["no clients; make the first with: bondd invite NAME"] : StatusTable.table(rows)
        lines += clients.compactMap { client in
            guard let networks = client.networks, !networks.isEmpty else { return nil }
            return "  networks behind \(client.name): \(networks.joined(separator: ", "))"
        }
        if !invitations.isEmpty {
            lines.append("")
            rows = [["open invitation", "uses left", "expires in"]]
            for invitation in invitations {
                rows.append([
                    invitation.name, "\(invitation.usesLeft)", Self.span(max(invitation.expiresAt - now, 0)),
                ])
            }
            lines += StatusTable.table(rows)
        }
        text = lines.joined(separator: "\n") + "\n"
    }

    private static func ago(_ seconds: Int) -> String { seconds < 60 ? "just now" : "\(span(seconds)) ago" }

    private static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86400) days"
        }
    }
}
