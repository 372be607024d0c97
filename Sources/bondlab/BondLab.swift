import ArgumentParser
import Lab

/// The command `bondlab`: emulated links of any quality, on one machine, without leaving traces.
@main struct BondLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondlab",
        abstract: "Emulated links between two network namespaces, as bad as a real network's.",
        discussion: """
            A link is NAME=RATE/DELAY[,option…]: Mbit/s (or 'inf') and one-way delay in ms. Options are \
            queue=MS, jitter=MS, reorder, loss=2%, burst=FRAMES, dup=1%, and rate= and delay= again; \
            'up.' before one means client to server only, 'down.' server to client; mtu=BYTES is for both. \
            Example: fibre=100/10 or lte=30/30,up.rate=10,jitter=5,loss=1%,burst=4

            Link number i (from 0) has 10.(100+i).0.1 and fd00:(100+i)::1 at the client, .2 and ::2 at the server. \
            Root is not needed where user namespaces are allowed and /dev/net/tun may be opened.
            """,
        subcommands: [
            DemoCommand.self, BenchCommand.self, RunCommand.self, LinksCommand.self, SimCommand.self,
            ForwardCommand.self, HostileCommand.self,
        ])
}
