import ControlProtocol
import Glibc

/// Clients and open invitations for people.
struct ClientTable {
    let text: String

    /// - Parameters:
    ///   - notices: bondd's notices; those that name a client are shown.
    ///   - now: seconds since 1970.
    init(_ clients: [ClientStatus], _ invitations: [InvitationStatus], notices: [String] = [], now: Int) {
        var rows = [["client", "addresses", "state", "last seen", "rtt ms", "sent", "received", "source"]]
        for client in clients {
            let state = client.isUp.map { $0 ? "up" : "down" } ?? "?"
            rows.append([
                client.name, client.addresses.first ?? "", state,
                client.isUp == true ? "now" : client.lastSeenAt.map { Self.ago(now - $0) } ?? "never",
                client.rtt.map { Figure.text($0) } ?? "-",
                StatusTable.bytes(UInt64(max(client.sentBytes, 0))),
                StatusTable.bytes(UInt64(max(client.receivedBytes, 0))),
                client.source == "file" ? "file" : "invited",
            ])
        }
        var lines = ["no clients; invite one with: bondd invite NAME"]
        if !clients.isEmpty {
            let table = StatusTable.table(rows, words: 4)
            lines = [table[0]]
            for (client, row) in zip(clients, table.dropFirst()) {
                lines += [row] + Self.details(of: client)
            }
        }
        lines += notices.filter { $0.contains("client \"") }.map { "note: \($0)" }
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

    /// The client's additional addresses, the networks behind it, and its current endpoint.
    private static func details(of client: ClientStatus) -> [String] {
        var lines = client.addresses.dropFirst().map { "      and \($0)" }
        lines +=
            client.networks.flatMap { $0.isEmpty ? nil : "      networks \($0.joined(separator: ", "))" }.map
        { [$0] } ?? []
        guard let remotes = client.remotes, !remotes.isEmpty else { return lines }
        let age = client.handshakeAge.map { ", last handshake \(ago(Int(min($0, 1e12))))" } ?? ""
        lines.append("      from \(remotes.joined(separator: ", "))\(age)")
        if let version = client.version { lines.append("      with bondd \(version)") }
        if let spent = client.spent, !spent.isEmpty {
            lines.append("      data for the month used up on \(spent.joined(separator: ", "))")
        }
        return lines
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
