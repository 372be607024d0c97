import ArgumentParser
import Commands
import Glibc
import Messages

/// `bondd clients`
struct Clients: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "On the server: who may connect.",
        subcommands: [ListClients.self, RevokeClient.self, RenameClient.self],
        defaultSubcommand: ListClients.self)
}

/// `bondd clients list`
struct ListClients: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List clients and open invitations.")

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let response = try GatewaySocket(beside: options.socket).ask(.clients)
        guard case .clients(var clients, let invitations) = response else {
            throw Failure("bondd-control gave no list; bring it to bondd's version")
        }
        var notices: [String] = []
        if case .status(let status)? = try? ask(.status, options.socket) {
            let sessions = Dictionary(
                status.sessions.map { ($0.client, $0) }, uniquingKeysWith: { first, _ in first })
            for index in clients.indices {
                if let session = sessions[clients[index].name] { clients[index].add(session) }
            }
            notices = status.notices
        }
        if json {
            guard let line = try? Line.encode(GatewayResponse.clients(clients, invitations)) else {
                throw Failure("the list can't be written as JSON")
            }
            print(String(decoding: line, as: UTF8.self), terminator: "")
            return
        }
        print(ClientTable(clients, invitations, notices: notices, now: time(nil)).text, terminator: "")
    }
}

/// `bondd clients revoke NAME`
struct RevokeClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take away a client's right to connect, and end its session at once."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The client's name, or that of an open invitation.")
    var name: String

    func run() throws {
        _ = try GatewaySocket(beside: options.socket).ask(.revoke(name: name))
        print("\(name) can no longer connect")
    }
}

/// `bondd clients rename A B`
struct RenameClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a client another name; its session goes on.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Its name now.")
    var name: String

    @Argument(help: "Its new name.")
    var new: String

    func run() throws {
        _ = try GatewaySocket(beside: options.socket).ask(.rename(from: name, to: new))
    }
}
