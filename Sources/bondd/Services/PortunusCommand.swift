import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Runtime

/// `bondd portunus`
struct PortunusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portunus",
        abstract: "On the server: the Portunus control plane whose rules this server carries.",
        subcommands: [EnrollCommand.self])
}

/// `bondd portunus enroll URI`
struct EnrollCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Enrol at a control plane, and carry the rules that it pushes from then on.",
        discussion: """
            Leave URI out, or give -, and it is read from standard input, where it stays out of the shell's history. It is good \
            once. bondd-control redeems it, keeps what it gets, and connects at once and whenever it starts.
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The URI printed by the control plane: portunus://HOST:PORT/enroll?pin=...&code=...")
    var uri: String?

    /// Time limit for redeeming, in milliseconds; bondd-control gives up after half of it.
    private static let patience = 30_000

    func run() throws {
        let socket = ControlServiceSocket(beside: options.socket)
        let text = try read()
        guard text.hasPrefix("portunus://") else {
            throw Failure("this is not an enrolment URI; copy all of it, beginning with portunus://")
        }
        _ = try socket.ask(.enrolService(uri: text), timeout: Self.patience)
        var plane = PlaneStatus()
        // The session begins within a few round trips.
        for _ in 0..<25 {
            if case .services(_, let status)? = try? socket.ask(.services) { plane = status }
            if plane.state == "connected" || plane.problem != nil { break }
            usleep(200_000)
        }
        print("enrolled at \(plane.endpoint ?? "the control plane"), which is \(plane.state)".printable)
        print("bondd services lists its rules; they lead only to hosts in the tunnel, unless the")
        print("configuration has allow_outside = true in [portunus]")
        if let problem = plane.problem { print("problem: \(problem)".printable) }
    }

    private func read() throws -> String {
        if let uri, uri != "-" { return uri }
        guard let line = readLine() else {
            throw Failure(
                "there is no enrolment URI on standard input; pass the one that the control plane printed")
        }
        return String(line.drop { $0 == " " }.prefix { $0 != " " && $0 != "\r" })
    }
}
