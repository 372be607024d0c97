import ArgumentParser
import Glibc
import Lab

/// `bondlab run`: keeps a lab open, and changes its links on command.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Create links and keep them until 'quit', SIGINT, SIGTERM or COMMAND's end.",
        discussion: """
            COMMAND runs in the client's namespace with BONDLAB_CLIENT and BONDLAB_SERVER set to the namespaces' \
            paths: nsenter --net=$BONDLAB_SERVER PROGRAM runs something at the other end. Lines on stdin change the \
            links; with COMMAND on a terminal, stdin is COMMAND's.

            \(LinkCommand.usage)
            """)

    @OptionGroup var options: LinkOptions

    @Argument(parsing: .postTerminator, help: "The command to run in the client's namespace.")
    var command: [String] = []

    func run() throws {
        let specs = try options.specs(orElse: [])
        let interrupt = try Interrupt()
        try Lab.enter()
        let lab = try options.build(specs)
        defer { lab.close() }
        let client = try lab.namespace("client")
        let server = try lab.namespace("server")
        let takesInput = !command.isEmpty && isatty(0) == 1
        print("client: nsenter \(Self.userNamespace)--net=\(client.path)")
        print("server: nsenter \(Self.userNamespace)--net=\(server.path)")
        for link in lab.links {
            print("\(link.name): \(link.addresses.ipv4(.client)) — \(link.addresses.ipv4(.server))")
        }
        fflush(nil)
        var child: Child?
        if !command.isEmpty {
            child = try Child(
                command, in: client,
                environment: ["BONDLAB_CLIENT": client.path, "BONDLAB_SERVER": server.path],
                input: takesInput ? .inherited : .none, output: .inherited, ownGroup: !takesInput)
        }
        try Console(lab: lab, interrupt: interrupt, child: child, readsInput: !takesInput).run()
        switch child?.status {
        case .exited(let code) where code != 0: throw ExitCode(code)
        case .signalled(let number): throw ExitCode(128 + number)
        default: child?.stop()  // it is still running: the lab was told to end, which is not a failure
        }
    }

    /// Additional options of `nsenter` if this process is in its own user namespace.
    private static var userNamespace: String {
        getenv("BONDLAB_ENTERED") == nil ? "" : "--target \(getpid()) --user --preserve-credentials "
    }
}
