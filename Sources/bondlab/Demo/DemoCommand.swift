import ArgumentParser
import Lab

/// `bondlab demo`: shows the tunnel at work.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Bond two emulated links, kill one, bring it back. Real daemons, real TCP, under a minute.",
        discussion: """
            A client and a server run in two network namespaces with a 'fibre' of 100 Mbit/s and 20 ms RTT and an \
            'lte' of 50 Mbit/s and 60 ms RTT between them. One TCP flow (Cubic) runs over each link alone and then \
            over both; meanwhile the fibre becomes a black hole and comes back. All figures are measured. No \
            interface, namespace or process is left when it ends, for any reason.
            """)

    func run() throws {
        let interrupt = try Interrupt()
        try Lab.enter()
        do {
            try Demo(interrupt).run()
        } catch is Interrupted {
            print("\nInterrupted; nothing is left behind.")
            throw ExitCode(130)
        }
    }
}

/// SIGINT or SIGTERM has arrived.
struct Interrupted: Error {}
