import ArgumentParser
import Commands
import Control
import ControlProtocol
import Glibc
import Proto
import Runtime
import Settings

/// `bondd-control invite NAME`: what `bondd invite` does, while no bondd-control runs.
struct Invite: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Make an invitation while no bondd-control runs; prints the join link.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The name that the client will have.")
    var name: String

    @Option(help: "bondd's configuration.")
    var config = "/etc/bondd/bondd.toml"

    @Option(name: .customLong("public-key"), help: "The server's public key; left out: as it was last seen.")
    var publicKey: String?

    @Option(help: "Where clients reach the server, HOST:PORT; may be given several times.")
    var endpoint: [String] = []

    @Option(
        name: .customLong("ttl"),
        help: "How long the link is good: 1m to 365d, a number with s, m, h or d, such as 24h.")
    var lifetime = Lifetime.day

    @Option(help: "How many clients may enrol with it.")
    var uses = 1

    @Option(help: "The mode for packets to the client; left out: the server's.")
    var mode: String?

    @Flag(name: .customLong("no-qr"), help: "Print the link alone, which is all that is printed here.")
    var isPlain = false

    func run() throws {
        let server = try publicKey.map { text throws -> PublicKey in
            guard let key = PublicKey(base64: text) else {
                throw ValidationError("\"\(text)\" is no public key; it is 32 bytes in base64")
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
struct SetEndpoints: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-endpoints",
        abstract: "Set where clients reach the server, for invitations that do not say it.")

    @OptionGroup var options: StateOptions

    @Argument(help: "HOST:PORT, the first to try first.")
    var endpoints: [String]

    func run() throws {
        if try asked(.setEndpoints(endpoints), options) { return }
        let lock = try StateLock(directory: options.stateDirectory, instead: "name its socket with --socket")
        try Store(directory: options.stateDirectory).setEndpoints(endpoints)
        withExtendedLifetime(lock) {}
    }
}

/// `bondd-control backup FILE`
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write a copy of the state into a new file; bondd-control may run meanwhile.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The file to make.")
    var file: String

    func run() throws {
        // A bondd-control that runs sandboxed writes in its own directory alone.
        let copy = Store.newCopy(in: options.stateDirectory)
        if try asked(.backup(path: copy), options) {
            defer { unlink(copy) }
            try Store.copy(copy, to: file)
            return
        }
        guard Store.exists(in: options.stateDirectory) else {
            throw Failure(
                "there is no state in \(options.stateDirectory); name its directory with --state-dir")
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
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in place of the state, which is kept beside it; bondd-control must not run.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The backup.")
    var file: String

    func run() throws {
        let lock = try StateLock(
            directory: options.stateDirectory, instead: "stop it first: systemctl stop bondd-control")
        // The backup is the caller's, what lies in the directory its owner's.
        StateLock.becomeRoot()
        let readmitted = try Store.restore(file, into: options.stateDirectory, now: currentTime()) {
            StateLock.becomeOwner(of: options.stateDirectory)
        }
        if !readmitted.isEmpty {
            print(
                "clients that were revoked since the backup are clients again: \(readmitted.joined(separator: ", ")); revoke them again with: bondd clients revoke NAME"
            )
        }
        withExtendedLifetime(lock) {}
    }
}

/// `bondd-control withdraw`
struct Withdraw: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract:
            "Take back from bondd what was handed over to it: invited clients, invitations and services.",
        discussion:
            "For before bondd-control is removed. The state stays, and a bondd-control that starts hands it over again."
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

/// Whether a bondd-control that runs has done it; false when none runs.
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
