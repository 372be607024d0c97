import ArgumentParser
import Commands
import Control
import ControlProtocol
import Glibc
import Proto
import Runtime
import Settings

/// `bondd-control invite NAME`: does the same as `bondd invite` while no bondd-control is running.
struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Create an invitation while no bondd-control is running; prints the join link.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The name that the client will have.")
    var name: String

    @Option(help: "bondd's configuration.")
    var config = "/etc/bondd/bondd.toml"

    @Option(name: .customLong("public-key"), help: "The server's public key; by default the last known one.")
    var publicKey: String?

    @Option(help: "Where clients reach the server, HOST:PORT; may be given several times.")
    var endpoint: [String] = []

    @Option(
        name: .customLong("ttl"),
        help: "How long the link is valid: 1m to 365d, a number with s, m, h or d, such as 24h.")
    var lifetime = Lifetime.day

    @Option(help: "How many clients may enrol with it.")
    var uses = 1

    @Option(help: "The mode for packets to the client; by default the server's.")
    var mode: String?

    @Flag(name: .customLong("no-qr"), help: "Print only the link, as is always done here.")
    var isPlain = false

    func run() throws {
        let server = try publicKey.map { text throws -> PublicKey in
            guard let key = PublicKey(base64: text) else {
                throw ValidationError("\"\(text)\" is not a public key; a key is 32 bytes in base64")
            }
            return key
        }
        let plan = try Plan(reading: config)
        let lock = try StateLock(directory: options.stateDirectory, instead: "use bondd invite \(name)")
        let store = try Store(directory: options.stateDirectory)
        if let server { try store.setServerKey(server.base64) }
        let order = InvitationOrder(
            name: name, lifetime: lifetime.seconds, uses: uses, mode: mode, endpoints: endpoint)
        print(try store.invite(order, plan: plan, server: server).text)
        withExtendedLifetime(lock) {}
    }
}

/// `bondd-control set-endpoints HOST:PORT …`
struct SetEndpointsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-endpoints",
        abstract: "Set where clients reach the server, for invitations that do not give it.")

    @OptionGroup var options: StateOptions

    @Argument(help: "HOST:PORT, in the order in which to try them.")
    var endpoints: [String]

    func run() throws {
        if try asked(.setEndpoints(endpoints), options) { return }
        let lock = try StateLock(directory: options.stateDirectory, instead: "name its socket with --socket")
        try Store(directory: options.stateDirectory).setEndpoints(endpoints)
        withExtendedLifetime(lock) {}
    }
}

/// `bondd-control backup FILE`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write a copy of the state into a new file; bondd-control may be running.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The file to create.")
    var file: String

    func run() throws {
        // A sandboxed bondd-control can write only in its own directory.
        let copy = Store.newCopy(in: options.stateDirectory)
        if try asked(.backup(path: copy), options) {
            defer { unlink(copy) }
            try Store.copy(copy, to: file)
            return
        }
        guard Store.exists(in: options.stateDirectory) else {
            throw Failure(
                "there is no state in \(options.stateDirectory); give its directory with --state-dir")
        }
        let lock = try StateLock(directory: options.stateDirectory, instead: "name its socket with --socket")
        defer { unlink(copy) }
        try Store(existingIn: options.stateDirectory).backup(to: copy)
        StateLock.becomeRoot()
        try Store.copy(copy, to: file)
        withExtendedLifetime(lock) {}
    }
}

/// `bondd-control restore FILE`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Replace the state by a backup and keep the old state; bondd-control must not be running.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The backup.")
    var file: String

    func run() throws {
        let lock = try StateLock(
            directory: options.stateDirectory, instead: "stop it first: systemctl stop bondd-control")
        // The backup is read as the caller; the directory's contents belong to its owner.
        StateLock.becomeRoot()
        let readmitted = try Store.restore(file, into: options.stateDirectory, now: currentTime()) {
            StateLock.becomeOwner(of: options.stateDirectory)
        }
        if !readmitted.isEmpty {
            print(
                "clients that were revoked since the backup can connect again: \(readmitted.joined(separator: ", ")); revoke them again with: bondd clients revoke NAME"
            )
        }
        withExtendedLifetime(lock) {}
    }
}

/// `bondd-control withdraw`
struct WithdrawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract:
            "Withdraw everything handed over to bondd: invited clients, invitations and services.",
        discussion:
            "Run this before removing bondd-control. The state stays, and a bondd-control that starts later hands it over again."
    )

    @OptionGroup var options: StateOptions

    func run() throws {
        for request in [ControlProtocol.Request.handOver(Handover(revision: 0)), .carry([])] {
            if case .failed(let sentence) = try ControlClient.ask(request, path: options.socket) {
                throw Failure(sentence)
            }
        }
    }
}

/// Whether a running bondd-control has carried out the request; false if none is running.
private func asked(_ request: ControlServiceRequest, _ options: StateOptions) throws -> Bool {
    let answer: ControlServiceResponse
    do throws(SocketError) {
        answer = try ControlClient.ask(request, path: options.gatewaySocket)
    } catch .notRunning {
        return false
    }
    if case .failed(let sentence) = answer { throw Failure(sentence) }
    return true
}
