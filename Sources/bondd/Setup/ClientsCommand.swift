import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Runtime

/// `bondd clients`
struct ClientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "On the server: the clients that may connect.",
        subcommands: [
            ListClientsCommand.self, RevokeClientCommand.self, RenameClientCommand.self,
            SetClientCommand.self,
        ],
        defaultSubcommand: ListClientsCommand.self)
}

/// `bondd clients list`
struct ListClientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List clients and open invitations.")

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var (clients, invitations) = try ControlServiceSocket(beside: options.socket).get(.clients)
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
            guard let line = try? Line.encode(ControlServiceResponse.clients(clients, invitations)) else {
                throw Failure("the list can't be written as JSON")
            }
            print(String(decoding: line, as: UTF8.self), terminator: "")
            return
        }
        print(ClientTable(clients, invitations, notices: notices, now: time(nil)).text, terminator: "")
    }
}

/// `bondd clients revoke NAME`
struct RevokeClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a client's right to connect, and end its session at once."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The client's name, or that of an open invitation.")
    var name: String

    func run() throws {
        let response: ControlServiceResponse
        do {
            response = try ControlServiceSocket(beside: options.socket).ask(.revoke(name: name))
        } catch SocketError.notRunning(let path) {
            return try revokeAtDaemon(without: path)
        }
        print("\(name) can no longer connect")
        if case .noted(let sentence) = response { print("note: \(sentence)") }
    }

    /// Without bondd-control, bondd itself has to refuse the client.
    private func revokeAtDaemon(without path: String) throws {
        do {
            _ = try ask(.revoke(name: name), options.socket)
        } catch SocketError.notRunning {
            throw SocketError.notRunning(path: path)
        }
        print(
            "\(name) can no longer connect; bondd-control does not run, and records the revocation when it starts"
        )
    }
}

/// `bondd clients rename A B`
struct RenameClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Rename a client; its session continues.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Its name now.")
    var name: String

    @Argument(help: "Its new name.")
    var new: String

    func run() throws {
        _ = try ControlServiceSocket(beside: options.socket).ask(.rename(from: name, to: new))
    }
}

/// `bondd clients set NAME --networks 192.168.50.0/24,192.168.51.0/24`
struct SetClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a client's settings; its session continues.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The client's name.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "The networks behind the client that are routed to it, separated by commas; \"\" for none.",
            valueName: "network,..."))
    var networks: String

    func run() throws {
        let list = networks.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
        _ = try ControlServiceSocket(beside: options.socket).ask(.setNetworks(name: name, networks: list))
        print(
            list.isEmpty
                ? "no networks are routed to \(name)"
                : "\(list.joined(separator: ", ")) \(list.count == 1 ? "is" : "are") routed to \(name)")
    }
}
